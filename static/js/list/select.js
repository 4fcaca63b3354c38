// Ticked requests, or media of them: how many, all of the page, all between two with Shift. The bar of actions is there once one is ticked.
//
// The ticks are the checkboxes themselves: what is sent is what can be seen. A row that changes keeps its tick (rows.js).

const bar = /** @type {HTMLFormElement | null} */ (document.querySelector("[data-selection]"));
const all = /** @type {HTMLInputElement | null} */ (document.querySelector("[data-select-all]"));

/** @returns {HTMLInputElement[]} */
const boxes = () => [...document.querySelectorAll(/** @type {"input"} */ (".row-check"))];

let last = ""; // the request ticked or cleared last, where a range begins; its row may be another by now

const nameOf = (box) => box.dataset.medium ?? box.value;

function show() {
  if (!bar) return;
  const rows = boxes();
  const count = rows.filter((box) => box.checked).length;
  bar.classList.toggle("selection-shown", count > 0);
  const words = bar.querySelector("[data-selected-count]");
  if (words) words.textContent = `${count} ticked`;
  if (all) {
    all.checked = count > 0 && count === rows.length;
    all.indeterminate = count > 0 && count < rows.length;
  }
  if (!count) bar.reset();
  compare(new Set(rows.filter((box) => box.checked).map((box) => box.value)));
}

/** Two to four requests can stand side by side. */
function compare(ids) {
  /** @type {HTMLAnchorElement | null | undefined} */
  const link = bar?.querySelector("[data-compare]");
  if (!link) return;
  link.hidden = ids.size < 2 || ids.size > 4;
  const url = new URL(link.href);
  url.searchParams.delete("id");
  for (const id of ids) url.searchParams.append("id", id);
  link.href = url.href;
}

/** Tick or clear all from the request of before to this box. */
function range(to) {
  const rows = boxes();
  const ends = [rows.findIndex((box) => nameOf(box) === last), rows.indexOf(to)];
  const [start, end] = ends.sort((one, other) => one - other);
  if (start < 0) return;
  for (const box of rows.slice(start, end + 1)) box.checked = to.checked;
}

function clear() {
  for (const box of boxes()) box.checked = false;
  show();
}

if (bar) {
  bar.hidden = false; // rows may come to an empty list
  if (all) all.hidden = false;
  const button = /** @type {HTMLButtonElement} */ (bar.querySelector("[data-clear-selection]"));
  button.hidden = false;
  button.addEventListener("click", () => {
    clear();
    (all ?? boxes()[0])?.focus();
  });
  all?.addEventListener("change", () => {
    for (const box of boxes()) box.checked = all.checked;
    show();
  });
  document.addEventListener("click", (event) => {
    const box =
      event.target instanceof HTMLInputElement && event.target.matches(".row-check") && event.target;
    if (!box) return;
    if (event.shiftKey) range(box);
    last = nameOf(box);
    show();
  });
  // Rows come and go with the live table.
  const table = document.querySelector("tbody[data-rows], #gallery");
  if (table) new MutationObserver(show).observe(table, { childList: true });
  addEventListener("pageshow", show);
  // Of a tile its medium, not only its request
  bar.addEventListener("formdata", ({ formData }) => {
    for (const { checked, dataset } of boxes())
      if (checked && dataset.medium) formData.append("medium", dataset.medium);
  });
  show();
}
