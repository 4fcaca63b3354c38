// The page of a bulk action is renewed every two seconds, but not while it is in use.

import { isInUse } from "../lib/inuse.js";

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  if (detail.target.id === "bulk-live" && isInUse(detail.target)) detail.shouldSwap = false;
});
