// Relative ages, exact times in the reader's zone, and durations that tick: one timer for all of them.
//
//   <time datetime="ISO" data-ago>      "5 s ago", exact on hover
//   <time datetime="ISO" data-exact>    "2026-11-23 16:02:11"
//   <time data-since="ISO">             "4.2 s", ticking until the element is replaced

const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "m"],
];

const pad = (number) => String(number).padStart(2, "0");

// The server's clock minus ours, in ms, measured when the page came. A reader's clock may be wrong by hours.
const sent = Date.parse(document.querySelector("meta[name=server-time]")?.content ?? "");
const skew = Number.isNaN(sent) ? 0 : sent - (performance.timeOrigin + pageAge());

function pageAge() {
  const [navigation] = performance.getEntriesByType("navigation");
  return navigation?.responseStart ?? 0;
}

const now = () => Date.now() + skew;

export function ago(seconds) {
  for (const [length, unit] of UNITS) {
    if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  }
  return `${Math.max(0, Math.floor(seconds))} s ago`;
}

export function duration(seconds) {
  if (seconds < 10) return `${Math.max(0, seconds).toFixed(1)} s`;
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} m ${Math.floor(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours} h ${minutes % 60} m`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function exact(moment) {
  const day = `${moment.getFullYear()}-${pad(moment.getMonth() + 1)}-${pad(moment.getDate())}`;
  return `${day} ${pad(moment.getHours())}:${pad(moment.getMinutes())}:${pad(moment.getSeconds())}`;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Bring every time inside `root` up to date; call it for what was just put into the page. */
export function refreshTimes(root = document) {
  const present = now();
  for (const element of root.querySelectorAll("time[data-ago]")) {
    const moment = new Date(element.dateTime);
    write(element, ago((present - moment) / 1000));
    element.title = exact(new Date(moment - skew));
  }
  for (const element of root.querySelectorAll("time[data-since]")) {
    write(element, duration((present - new Date(element.dataset.since)) / 1000));
  }
  for (const element of root.querySelectorAll("time[data-exact]")) {
    const moment = new Date(new Date(element.dateTime) - skew);
    write(element, exact(moment));
    element.title = moment.toString();
  }
}

let beats = 0;
setInterval(() => {
  if (document.hidden) return;
  beats += 1;
  // Ages once a second, running durations ten times less busily than they could.
  if (beats % 2 === 0 || document.querySelector("time[data-since]")) refreshTimes();
}, 500);

document.addEventListener("visibilitychange", () => refreshTimes());
document.addEventListener("htmx:afterSwap", (event) => refreshTimes(event.target.parentNode ?? document));
refreshTimes();
