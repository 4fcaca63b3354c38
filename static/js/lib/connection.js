// The light in the header: live, polling (and why), offline (and why). It appears on pages that watch something.

import { live } from "./socket.js";
import { announce } from "./announce.js";

const light = /** @type {HTMLElement} */ (document.getElementById("connection"));
const SENTENCES = {
  connecting: "Connecting…",
  live: "Changes show at once.",
  polling: "Changes show every few seconds",
  offline: "No changes arrive",
  paused: "Changes wait until you press . again",
};
let last = "connecting";

function show({ state, reason }) {
  light.hidden = false;
  light.dataset.state = state;
  const word = /** @type {HTMLElement} */ (light.querySelector(".light-word"));
  word.textContent = state;
  light.title = reason ? `${SENTENCES[state]}: ${reason}.` : SENTENCES[state];
  light.setAttribute("aria-label", `Connection: ${state}. ${light.title}`);
  if (state !== last && last !== "connecting") announce(`Connection ${state}. ${light.title}`);
  last = state;
}

if (light) {
  live.on("state", show);
  document.addEventListener("live:pause", () => live.pause());
}
