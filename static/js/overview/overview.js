// The overview renews its figures when requests change, and each minute; what its reader uses stays as it is.

import { live } from "../lib/socket.js";
import { isInUse } from "../lib/inuse.js";

const SOON_MS = 1000; // after the first of several changes
const COUNTED_MS = 5000; // later, older requests that changed have been counted
const MINUTE_MS = 60_000;

/** @type {number | undefined} */
let soon;
/** @type {number | undefined} */
let counted;

const place = () => document.getElementById("overview-live");
const renew = () => {
  if (!document.hidden) place()?.dispatchEvent(new Event("overview:news"));
};

function changed() {
  soon ??= setTimeout(() => {
    soon = undefined;
    renew();
  }, SOON_MS);
  clearTimeout(counted);
  counted = setTimeout(renew, COUNTED_MS);
}

/** Days and hours are those of the reader's zone; a local one is known here alone. */
function inLocalZone() {
  const shown = place();
  if (shown?.dataset.local !== "1" || shown.dataset.zone === zone) return;
  const url = new URL(location.href);
  url.searchParams.set("zone", zone);
  history.replaceState(history.state, "", url);
  for (const link of document.querySelectorAll(".overview-ranges a")) {
    const other = new URL(/** @type {HTMLAnchorElement} */ (link).href);
    other.searchParams.set("zone", zone);
    link.setAttribute("href", other.href);
  }
  const kept = document.createElement("input");
  Object.assign(kept, { type: "hidden", name: "zone", value: zone });
  document.querySelector(".overview-filters")?.append(kept);
  renew();
}

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
/** @type {boolean} */
let wasOpen = false;

const detailOf = (event) => /** @type {CustomEvent} */ (event).detail;
const isOurs = (event) => detailOf(event).target.id === "overview-live";
const table = () => /** @type {HTMLDetailsElement | null} */ (document.getElementById("overview-table"));

document.body.addEventListener("htmx:configRequest", (event) => {
  const { path, parameters } = detailOf(event);
  if (isOurs(event) && place()?.dataset.local === "1" && !path.includes("zone=")) parameters.zone = zone;
});

document.body.addEventListener("htmx:beforeSwap", (event) => {
  if (!isOurs(event)) return;
  if (isInUse(detailOf(event).target)) detailOf(event).shouldSwap = false;
  wasOpen = Boolean(table()?.open);
});

document.body.addEventListener("htmx:afterSwap", (event) => {
  const shown = table();
  if (isOurs(event) && shown) shown.open = wasOpen;
});

/** Tell the values of a bar above the chart, for as long as it is pointed at or has the focus. */
function tell(event) {
  const bar = /** @type {Element} */ (event.target).closest?.(".overview-bar");
  const told = document.querySelector("[data-told]");
  if (!(bar instanceof SVGElement) || !told) return;
  told.textContent = bar.dataset.words ?? "";
}
document.addEventListener("pointerover", tell);
document.addEventListener("focusin", tell);

live.watchTable();
live.on("changed", changed);
setInterval(renew, MINUTE_MS);
document.addEventListener("visibilitychange", renew);
inLocalZone();
