// A batch's page is renewed every two seconds, but not while the keyboard or a selection is in it.

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = /** @type {CustomEvent} */ (event).detail;
  if (target.id !== "batch-live") return;
  const selection = document.getSelection();
  const isSelecting = selection?.type === "Range" && target.contains(selection.anchorNode);
  if (isSelecting || target.contains(document.activeElement)) {
    /** @type {CustomEvent} */ (event).detail.shouldSwap = false;
  }
});
