// The page of a bulk action is renewed every two seconds, but not while the keyboard or a selection is in what moves.

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.target.id !== "bulk-live") return;
  const selection = document.getSelection();
  const isSelecting = selection?.type === "Range" && detail.target.contains(selection.anchorNode);
  if (isSelecting || detail.target.contains(document.activeElement)) detail.shouldSwap = false;
});
