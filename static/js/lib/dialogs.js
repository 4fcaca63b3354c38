// Dialogs: a button names its dialog (data-dialog), a button inside closes it (data-close).

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
