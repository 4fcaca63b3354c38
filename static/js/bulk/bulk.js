// The page of a bulk action or an export is renewed every two seconds, but not while it is in use.

import { isInUse } from "../lib/inuse.js";

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.target.hasAttribute("data-renewed") && isInUse(detail.target)) detail.shouldSwap = false;
});
