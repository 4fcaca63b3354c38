// The order of the table's columns in its menu: an arrow moves a column among those that are ticked, and "Use" keeps
// the order. Without scripts the same buttons post the form.

import { announce } from "../lib/announce.js";

const list = /** @type {HTMLElement | null} */ (document.querySelector("[data-column-order]"));

const ticked = () => [...(list?.children ?? [])].filter((item) => item.querySelector(":checked"));

list?.addEventListener("click", (event) => {
  const button = /** @type {Element} */ (event.target).closest("button");
  const item = button?.closest("li");
  if (!button || !item) return;
  event.preventDefault();
  const isUp = button.value.endsWith(".up");
  const other = ticked()[ticked().indexOf(item) + (isUp ? -1 : 1)];
  // The neighbour is what moves in the page, so the button keeps its focus.
  if (other && isUp) item.after(other);
  else if (other) item.before(other);
  const word = item.querySelector("label")?.textContent.trim();
  announce(`${word} is column ${ticked().indexOf(item) + 1} of ${ticked().length}.`);
});
