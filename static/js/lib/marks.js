// Stars and tags. A star that was set or taken off: every star of the page on that request shows it, in the list and
// beside it. A tag that was added leaves its field empty for the next one.

document.addEventListener("request:starred", ({ detail: { id, on } }) => {
  for (const form of document.querySelectorAll(`[data-star="${CSS.escape(id)}"]`)) {
    delete (/** @type {HTMLElement} */ (form).dataset.unknown);
    form.querySelector("button")?.setAttribute("aria-pressed", String(on));
    const next = /** @type {HTMLInputElement | null} */ (form.querySelector("[name=on]"));
    if (next) next.value = on ? "0" : "1";
  }
});

document.addEventListener("request:tagged", ({ target }) => {
  if (target instanceof HTMLFormElement && target.matches(".tag-add")) target.reset();
});
