// Keys that act on a request: c cancels, r runs again, e opens the form with its input. They press what the page has for
// it (data-key), of the row with the focus, else of the request that is shown; c asks first.

import { toast } from "./toasts.js";

const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("cancel-dialog"));

const ROWS = "tr.row";
const idOf = (row) => row.id.replace("request-", "");

/** Where to look for a button: a request that is shown has more of them than its row. */
function places() {
  const row = document.activeElement?.closest(ROWS);
  const page = document.getElementById("request-page");
  if (!row) return [page];
  return page?.dataset.request === idOf(row) ? [page, row] : [row];
}

/** What can be done now with the request in question, as [key, button]. */
export function acts() {
  const found = new Map();
  for (const place of places())
    for (const button of place?.querySelectorAll("[data-key]:not(:disabled)") ?? [])
      for (const key of button.dataset.key?.split(" ") ?? [])
        if (!found.has(key)) found.set(key, /** @type {HTMLElement} */ (button));
  return [...found];
}

document.addEventListener("key:act", ({ detail }) => act(detail));

function act(key) {
  const button = new Map(acts()).get(key);
  if (button) press(key, button);
  else if (key === "r") runRow();
}

/** Press the button of this key; before it cancels, ask. */
export function press(key, button) {
  if (key === "c") askToCancel(button);
  else button.click();
}

/** A row has no "Run again": its request is opened, which asks. */
function runRow() {
  const row = document.activeElement?.closest(ROWS);
  if (row) row.dispatchEvent(new CustomEvent("row:again", { bubbles: true }));
}

function askToCancel(button) {
  if (!dialog) return;
  const { action } = button.form;
  const what = /** @type {HTMLElement} */ (dialog.querySelector("[data-what]"));
  what.textContent = whatOf(button);
  dialog.returnValue = "";
  dialog.showModal();
  const decide = () => dialog.returnValue === "yes" && cancel(action);
  dialog.addEventListener("close", decide, { once: true });
}

function whatOf(button) {
  const named =
    button.closest(ROWS)?.querySelector(".row-link") ?? document.querySelector(".request-name .mono");
  return named?.textContent?.trim() ?? "";
}

/** The row or head may have been replaced while the question stood. */
function cancel(action) {
  const form = [...document.querySelectorAll("form")].find((form) => form.action === action);
  const button = form?.querySelector("[data-key~=c]:not(:disabled)");
  if (button) button.click();
  else toast("There is nothing to cancel any more.");
}
