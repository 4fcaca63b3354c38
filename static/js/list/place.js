// Back from a request the list stands where it stood, with the focus on the row of the request that was seen last.

import { keepPlace, readPlace } from "../lib/listplace.js";

const REQUEST = /\/requests\/[0-9a-f-]{36}\/$/;
const here = () => location.pathname + location.search;

let opened = "";

const idOf = (element) => element?.closest?.("tr.row")?.id.replace("request-", "") ?? "";

function focusRow(id) {
  const row = document.getElementById(`request-${id}`);
  const link = /** @type {HTMLElement | null | undefined} */ (row?.querySelector(".row-link"));
  link?.focus({ preventScroll: true });
  row?.scrollIntoView({ block: "nearest" });
}

function comesFromRequest() {
  const [entry] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  if (entry?.type === "back_forward" || entry?.type === "reload") return true;
  return Boolean(document.referrer) && REQUEST.test(new URL(document.referrer).pathname);
}

function restore() {
  const place = readPlace();
  if (location.hash.startsWith("#request-")) return focusRow(location.hash.slice("#request-".length));
  if (place?.url !== here() || !comesFromRequest()) return;
  scrollTo({ top: place.y });
  focusRow(place.id);
}

document.addEventListener("click", ({ target }) => {
  opened = idOf(target) || opened;
});
addEventListener("pagehide", () => {
  const peeked = document.querySelector(".row-link[aria-current]");
  const id = idOf(peeked) || opened || idOf(document.activeElement);
  const query = document.querySelector("tbody[data-rows]")?.dataset.query;
  const [q, sort] = ["q", "sort"].map((name) => new URLSearchParams(query).get(name) ?? "");
  keepPlace({ url: here(), q, sort, team: document.body.dataset.team ?? "", y: scrollY, id });
});
// Kept whole by the browser, scroll and all: the request seen last may be another one.
addEventListener("pageshow", ({ persisted }) => persisted && restore());
restore();
