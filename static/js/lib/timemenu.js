// The dialog in which a reader chooses how times read. It is fetched when it is opened: the zones are a long list.

import { chooseTimes } from "./time.js";
import { toast } from "./toasts.js";

const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("times-dialog"));
const place = /** @type {HTMLElement} */ (document.getElementById("times-place"));

function prepare() {
  place.querySelector("[data-close]")?.removeAttribute("hidden");
}

document.addEventListener("htmx:afterSwap", ({ target }) => {
  if (!dialog || !(target === place || place.contains(target))) return;
  prepare();
  if (dialog.open) return;
  for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
  dialog.showModal();
});

document.addEventListener("times:chosen", ({ detail }) => {
  chooseTimes(detail);
  if (dialog?.open) dialog.close();
  toast("Times show as you chose.");
});
