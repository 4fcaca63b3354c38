// The name typed for a message stays when the list of saved messages above it comes anew, as it does for each endpoint.

import { onOwnRequest } from "../lib/ownrequests.js";

const nameIn = (card) => /** @type {HTMLInputElement | null} */ (card.querySelector("[name=name]"));

/** `card` itself asks for the list; what a button in it asks for brings the name that belongs there. */
export function keepName(card) {
  /** @type {HTMLInputElement | null} */
  let typed = null;
  let isFocused = false;
  card.addEventListener("htmx:beforeSwap", ({ target, detail }) => {
    if (target !== card || detail.requestConfig.elt !== card) return;
    typed = nameIn(card) ?? typed;
    isFocused = typed !== null && typed === document.activeElement;
  });
  onOwnRequest(card, "htmx:afterRequest", () => {
    const fresh = nameIn(card);
    if (!typed || !fresh || fresh === typed) return;
    typed.removeAttribute("aria-invalid"); // what was wrong with it is not said any more
    fresh.replaceWith(typed); // the element, which has its caret and its undo
    if (isFocused) typed.focus({ preventScroll: true });
  });
}
