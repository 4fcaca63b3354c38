// A cell of the list: filter by its value, leave it out, or copy it. The button is there on the row under the pointer or
// with the focus, and takes no room; on touch screens a long press on the cell does the same.
//
//   <td data-find="by:jo">  the search that finds the value; the server puts it into the list's search (`?add=`)

import { announce } from "../lib/announce.js";
import { icon } from "../lib/icon.js";
import { toast } from "../lib/toasts.js";

const WIDTH = 26; // of a button

/** @type {HTMLElement | null} */
let menu = null;
/** @type {HTMLElement | null} */
let opener = null;

const valueOf = (cell) =>
  cell.querySelector(".row-link, .badge")?.textContent.trim() || cell.textContent.trim();
const cellsOf = (row) =>
  [...row.querySelectorAll("td[data-find]")].filter((cell) => cell.dataset.find && cell.checkVisibility());

/** Lead to the list with this term. */
function lead(term) {
  const url = new URL(location.href);
  for (const name of ["older", "newer", "peek"]) url.searchParams.delete(name);
  url.searchParams.set("add", term);
  url.hash = "";
  location.assign(url.href);
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    announce("Copied.");
    toast("Copied");
  } catch {
    toast("The browser does not let this page copy.");
  }
}

function item(words, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "menu-item";
  button.role = "menuitem";
  button.textContent = words;
  button.addEventListener("click", () => {
    menu?.hidePopover();
    act();
  });
  return button;
}

function newMenu() {
  const made = document.createElement("div");
  made.id = "cell-menu";
  made.className = "cell-menu";
  made.role = "menu";
  made.popover = "auto";
  made.addEventListener("toggle", (event) => {
    if (/** @type {ToggleEvent} */ (event).newState !== "closed") return;
    if (made.contains(document.activeElement) || document.activeElement === document.body)
      opener?.focus({ preventScroll: true });
    opener?.setAttribute?.("aria-expanded", "false");
  });
  made.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const items = /** @type {HTMLElement[]} */ ([...made.children]);
    const here = items.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    items[(here + step + items.length) % items.length].focus();
  });
  document.body.append(made);
  return made;
}

function open(cell, from) {
  menu ??= newMenu();
  opener = from;
  const { find } = cell.dataset;
  const value = valueOf(cell);
  menu.ariaLabel = find;
  menu.replaceChildren(
    item(`Only ${find}`, () => lead(find)),
    item(`Without ${find}`, () => lead(`-${find}`)),
    item(`Copy ${value}`, () => copy(value)),
  );
  menu.showPopover();
  const { left, right, bottom, top } = from.getBoundingClientRect();
  const { width, height } = menu.getBoundingClientRect();
  menu.style.left = `${Math.max(8, Math.min(right - width, innerWidth - width - 8, Math.max(left, 8)))}px`;
  menu.style.top = `${bottom + height > innerHeight ? Math.max(8, top - height) : bottom}px`;
  from.setAttribute?.("aria-expanded", "true");
  /** @type {HTMLElement} */ (menu.firstElementChild).focus();
}

const isOpen = () => Boolean(menu?.matches(":popover-open"));

/** Put a button on each cell of this row; they lie over the cells' right ends. */
function arm(row) {
  if (row.querySelector(".cell-more")) return;
  const { right: end } = row.getBoundingClientRect();
  for (const cell of cellsOf(row)) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "cell-more";
    button.ariaLabel = `${valueOf(cell)}: filter or copy`;
    button.ariaHasPopup = "menu";
    button.append(icon("down"));
    button.style.right = `${Math.max(0, end - cell.getBoundingClientRect().right)}px`;
    button.style.width = `${WIDTH}px`;
    button.addEventListener("click", () => open(cell, button));
    cell.append(button);
  }
}

function disarm(row) {
  if (isOpen() || row.matches(":hover, :focus-within")) return;
  for (const button of row.querySelectorAll(".cell-more")) button.remove();
}

const rowOf = (target) => (target instanceof Element ? target.closest("tr.row") : null);

if ("popover" in HTMLElement.prototype) {
  document.addEventListener("pointerover", (event) => {
    const row = event.pointerType === "mouse" && rowOf(event.target);
    if (row) arm(row);
  });
  document.addEventListener("pointerout", (event) => {
    const row = rowOf(event.target);
    if (row && rowOf(event.relatedTarget) !== row) disarm(row);
  });
  document.addEventListener("focusin", ({ target }) => {
    const row = rowOf(target);
    if (row && target instanceof Element && target.matches(":focus-visible")) arm(row);
  });
  document.addEventListener("focusout", ({ target }) => {
    const row = rowOf(target);
    if (row) setTimeout(() => disarm(row));
  });
  document.addEventListener("contextmenu", (event) => {
    const { target, pointerType } = /** @type {PointerEvent} */ (event);
    if (pointerType !== "touch" || !(target instanceof Element)) return;
    const cell = target.closest("td[data-find]");
    if (!(cell instanceof HTMLElement) || !cell.dataset.find) return;
    event.preventDefault();
    open(cell, cell);
  });
}
