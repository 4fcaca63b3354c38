// A batch's page is renewed every two seconds, but not while the keyboard, a selection or the pointer is in what moves.

import { isInUse } from "../lib/inuse.js";
import { dropLost } from "../lib/lostmedia.js";

const mouse = matchMedia("(hover: hover)"); // after a touch the last place counts as hovered
let scrolled = 0; // how far the strip of results was moved

const isPointedAt = (target) => mouse.matches && Boolean(target.querySelector(".run-list:hover"));

const detailOf = (event) => /** @type {CustomEvent} */ (event).detail;
const isLive = (event) => detailOf(event).target.id === "batch-live";

document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (!isLive(event)) return;
  const { target } = detailOf(event);
  if (isInUse(target) || isPointedAt(target)) detailOf(event).shouldSwap = false;
  scrolled = target.querySelector(".run-list")?.scrollLeft ?? 0;
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  if (!isLive(event)) return;
  const place = document.getElementById("batch-live");
  if (!place) return;
  dropLost(place);
  const list = place.querySelector(".run-list");
  if (list) list.scrollLeft = scrolled;
});
