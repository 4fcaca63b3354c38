// The search box: "/" goes there in such a way that a word typed next never joins the one that stands there.

const box = /** @type {HTMLInputElement} */ (document.getElementById("search"));

/** Put the caret behind the search, one space away from its last word. */
export function goToSearch() {
  if (!box) return;
  if (box.value && !/\s$/.test(box.value)) box.value += " ";
  box.focus();
  box.setSelectionRange(box.value.length, box.value.length);
}

box?.addEventListener("blur", () => {
  box.value = box.value.trimEnd();
});

box?.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.preventDefault(); // a search field would empty itself
  box.blur();
});

// The last good search was sent along for the case that this one cannot be understood; it could.
const url = new URL(location.href);
if (box && url.searchParams.has("last") && !box.hasAttribute("aria-invalid")) {
  url.searchParams.delete("last");
  history.replaceState(history.state, "", url);
}
