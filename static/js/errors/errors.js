// The list of groups and the page of one are renewed every five seconds, but not while they are in use.

import { isInUse } from "../lib/inuse.js";

document.body.addEventListener("htmx:beforeSwap", (event) => {
  const { detail } = /** @type {CustomEvent} */ (event);
  const { target } = detail;
  if (target.id !== "errors-live") return;
  const isOpen = target.querySelector("details[open]");
  if (isOpen || isInUse(target)) detail.shouldSwap = false;
});
