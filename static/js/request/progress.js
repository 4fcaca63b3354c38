// The bar of a live request: how far it is, by the clock and the usual time.

import { duration, present } from "../lib/time.js";

const TICK_MS = 250;

/** Move the bar inside the page until the signal is aborted. */
export function showProgress(page, signal) {
  const ticking = setInterval(() => moveProgress(page), TICK_MS);
  signal.addEventListener("abort", () => clearInterval(ticking));
  moveProgress(page);
}

/** Where it stands now; also for a bar that has just been put in. */
export function moveProgress(page) {
  const bar = page.querySelector("#part-progress progress[data-since]");
  if (!bar) return;
  const passed = (present().getTime() - Date.parse(bar.dataset.since)) / 1000;
  const left = bar.max - passed;
  bar.value = Math.min(passed, bar.max);
  const words = left > 0 ? `About ${duration(Math.max(1, Math.ceil(left)))} left.` : "Longer than usual.";
  const place = bar.parentElement.querySelector("[data-left]");
  if (place.textContent !== words) place.textContent = words;
}
