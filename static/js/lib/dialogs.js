// What opens over the page. Dialogs: a button names its dialog (data-dialog), a button inside closes it (data-close).
// Menus are <details class="menu">: they open by themselves; this closes them.

document.addEventListener("click", (event) => {
  const { target } = event;
  if (!(target instanceof Element)) return;
  /** @type {HTMLElement | null} */
  const opener = target.closest("[data-dialog]");
  const dialog = /** @type {HTMLDialogElement | null} */ (
    opener && document.getElementById(opener.dataset.dialog ?? "")
  );
  if (dialog) {
    event.preventDefault(); // a link leads to the same question without JavaScript
    dialog.showModal();
  }
  target.closest("[data-close]")?.closest("dialog")?.close();
});

/** @returns {NodeListOf<HTMLDetailsElement>} */
const open = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(/** @type {Node} */ (event.target))) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of open()) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});
