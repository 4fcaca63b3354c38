// Requests side by side: a slider over two pictures, videos that play together, and columns that come when they end.

import { request } from "../lib/http.js";
import { live } from "../lib/socket.js";
import { enliven, swap } from "./detail.js";

const GATHER_MS = 300;

const root = document.getElementById("compare");

// --- two pictures, one over the other ---

function begin(part) {
  const slider = part.querySelector("[data-slider]");
  if (!slider) return;
  slider.hidden = false;
  const range = slider.querySelector("input");
  const show = () => slider.style.setProperty("--at", `${range.value}%`);
  range.addEventListener("input", show);
  show();
}

// --- videos ---

/** @type {() => HTMLInputElement | null | undefined} */
const choice = () => root?.querySelector("[data-together]");
const together = () => choice()?.checked === true;
const others = (video) => [...(root?.querySelectorAll("video") ?? [])].filter((other) => other !== video);

/** Events of media do not bubble. What is done by us causes the same events, which find nothing left to do. */
function follow({ type, target }) {
  if (target.tagName !== "VIDEO" || !together()) return;
  for (const other of others(target)) {
    if (type === "pause" && !target.ended) other.pause();
    if (type === "play") other.play().catch(() => {}); // it may not be loaded yet
    if (type === "ratechange" && other.playbackRate !== target.playbackRate)
      other.playbackRate = target.playbackRate;
    const isApart = Math.abs(other.currentTime - target.currentTime) > 0.1;
    if ((type === "seeking" || type === "play") && isApart) other.currentTime = target.currentTime;
  }
}

// --- live ---

/** @type {number | undefined} */
let timer;

async function refresh() {
  timer = undefined;
  try {
    const reply = await request(location.href);
    if (!reply.ok) return;
    const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const part of fresh.querySelectorAll("#compare [data-part]")) swap(document.adoptNode(part));
    begin(document.getElementById("part-slider"));
  } catch {
    // The connection light tells; the next change asks again.
  }
}

if (root) {
  enliven(root);
  begin(document.getElementById("part-slider"));
  const label = choice()?.closest("label");
  if (label) label.hidden = false;
  for (const type of ["play", "pause", "seeking", "ratechange"])
    root.addEventListener(type, follow, { capture: true });
  const ids = new Set((root.dataset.ids ?? "").trim().split(" "));
  live.on("changed", ({ rows }) => {
    if (rows.some(([id]) => ids.has(id))) timer ??= setTimeout(refresh, GATHER_MS);
  });
  for (const id of ids) live.watchRequest(id);
}
