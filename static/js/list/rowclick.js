// The whole row opens its request: a click anywhere in it is a click on its link. Text can still be selected, and
// what has a meaning of its own (links, buttons, forms) keeps it.

const OWN = "a, button, input, select, textarea, label, summary";
const DRAG_PX = 5; // a hand that clicks is not quite still
const isMac = /Mac|iPhone|iPad/.test(navigator.platform);

/** The link that a click at this place of the page stands for; null when it stands for something else. */
function linkFor(event) {
  if (event.defaultPrevented || !(event.target instanceof Element)) return null;
  const row = event.target.closest("tr.row");
  if (!row || event.target.closest(OWN) || isOverSleepingAction(row, event)) return null;
  return row.querySelector(".row-link");
}

/** A button that has just changed under the pointer is inert for a moment: a click meant for it does nothing. */
function isOverSleepingAction(row, { clientX: x, clientY: y }) {
  const box = row.querySelector(".row-actions[inert]")?.getBoundingClientRect();
  return Boolean(box) && x >= box.left && x <= box.right && y >= box.top && y <= box.bottom;
}

let pressedAt = [0, 0];

/** Whether the mouse was drawn over text, or words of this row are selected now. */
function isSelecting(row, { clientX, clientY }) {
  const selection = document.getSelection();
  const isDrag = Math.hypot(clientX - pressedAt[0], clientY - pressedAt[1]) > DRAG_PX;
  return isDrag || (selection?.isCollapsed === false && selection.getRangeAt(0).intersectsNode(row));
}

const inNewTab = () => ({ ctrlKey: !isMac, metaKey: isMac });

const press = (link, keys) =>
  link.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window, ...keys }));

document.addEventListener("click", (event) => {
  const link = linkFor(event);
  if (!link || isSelecting(link.closest("tr"), event)) return;
  press(link, event.ctrlKey || event.metaKey ? inNewTab() : { shiftKey: event.shiftKey });
});

document.addEventListener("auxclick", (event) => {
  const link = event.button === 1 && linkFor(event);
  if (!link) return;
  event.preventDefault();
  press(link, inNewTab());
});

document.addEventListener("mousedown", (event) => {
  pressedAt = [event.clientX, event.clientY];
  // Where the middle button starts to scroll the page, it opens the row instead, as on a link.
  if (event.button === 1 && linkFor(event)) event.preventDefault();
});
