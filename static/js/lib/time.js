// Every moment of a page in the form that its reader has chosen, and durations that tick: one timer for all of them.
//
//   <time datetime="ISO" data-time="age">     "5 s ago", or the exact time for readers who prefer it
//   <time datetime="ISO" data-time="exact">   "2026-11-23 16:02:11"
//   <time datetime="ISO" data-time="clock">   "16:02:11.120"
//   <time datetime="ISO" data-time="title">   keeps its own text
//   <time data-since="ISO">                   "4.2 s", ticking until the element is replaced
//
// Hovering over a moment shows the exact time and the zone's name.
// The choice stands on <body>: data-time-zone ("local", "UTC", "Europe/Berlin"), data-time-ages ("1", "0"),
// data-time-hours ("24", "12"). Without this module pages read as the server wrote them: UTC for a local zone.

import { age, textsOf } from "./timetext.js";

// The server's clock minus ours, in ms, measured when the page came: a reader's clock may be wrong by hours. Ages and
// durations need it; exact times are the server's as they are.
/** @type {HTMLMetaElement | null} */
const stamp = document.querySelector("meta[name=server-time]");
const sent = Date.parse(stamp?.content ?? "");
const skew = Number.isNaN(sent) ? 0 : sent - (performance.timeOrigin + pageAge());

function pageAge() {
  const [navigation] = /** @type {PerformanceNavigationTiming[]} */ (
    performance.getEntriesByType("navigation")
  );
  return navigation?.responseStart ?? 0;
}

const now = () => Date.now() + skew;

/** The present moment by the server's clock. */
export const present = () => new Date(now());

export function duration(seconds) {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function chosen() {
  const { timeZone = "local", timeAges = "1", timeHours = "24" } = document.body.dataset;
  return { zone: timeZone, hasAges: timeAges === "1", hours: Number(timeHours) };
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function writeTime(element, style, at) {
  const moment = new Date(element.dateTime);
  const texts = textsOf(moment, style);
  const kind = element.dataset.time;
  if (kind === "age" && style.hasAges) write(element, age((at - moment.getTime()) / 1000));
  if (!texts) return; // a zone this browser does not know, or a date beyond its calendar: the server's words stay
  if (element.title !== texts.full) element.title = texts.full;
  if (kind === "age" && !style.hasAges) write(element, texts.exact);
  else if (kind in texts) write(element, texts[kind]);
}

/** An element for a moment; `text` instead of the moment's own where it says something else. */
export function timeElement(moment, kind, text = "") {
  const element = document.createElement("time");
  element.dateTime = moment.toISOString();
  element.dataset.time = kind;
  element.textContent = text;
  if (kind !== "title") writeTime(element, chosen(), now());
  return element;
}

// There may be thousands of them, and one is hovered.
document.addEventListener("pointerover", ({ target }) => {
  if (target instanceof HTMLTimeElement && target.dataset.time === "title")
    writeTime(target, chosen(), now());
});

/**
 * Bring every time inside `root` up to date; call it for what was just put into the page.
 *
 * @param {ParentNode} root
 */
export function refreshTimes(root = document, which = "time[data-time]:not([data-time=title])") {
  const [style, at] = [chosen(), now()];
  for (const element of root.querySelectorAll(which)) writeTime(element, style, at);
  tick(root);
}

function tick(root) {
  for (const element of root.querySelectorAll("time[data-since]")) {
    write(element, duration((now() - Date.parse(element.dataset.since)) / 1000));
  }
}

/** Another choice, from now on. */
export function chooseTimes({ zone, has_ages: hasAges, hours }) {
  Object.assign(document.body.dataset, { timeZone: zone, timeAges: hasAges ? "1" : "0", timeHours: hours });
  for (const name of document.querySelectorAll("[data-time-zone-name]")) name.textContent = zone;
  refreshTimes();
}

let beats = 0;
setInterval(() => {
  if (document.hidden) return;
  beats += 1;
  // Ages once a second, running durations twice.
  if (beats % 2 === 0) refreshTimes(document, "time[data-time=age]");
  else tick(document);
}, 500);

document.addEventListener("visibilitychange", () => refreshTimes(document, "time[data-time=age]"));
document.addEventListener("htmx:afterSwap", (event) => refreshTimes(event.target.parentNode ?? document));
refreshTimes();
