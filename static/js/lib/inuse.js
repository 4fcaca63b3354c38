// A part of a page that is renewed by itself is left alone while its reader uses it.

/** Whether the keyboard or a selection is in it. */
export function isInUse(part) {
  const selection = document.getSelection();
  const isSelecting = selection?.type === "Range" && part.contains(selection.anchorNode);
  return isSelecting || part.contains(document.activeElement);
}
