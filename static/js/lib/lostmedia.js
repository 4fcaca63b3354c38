// A picture or player that does not load gives way to a placeholder. Its address may be gone, hold something else, or
// redirect to a host that the page's policy forbids, which no look at the address can tell beforehand.

import { icon } from "./icon.js";

const KINDS = { IMG: ["image", "picture"], VIDEO: ["video", "video"], AUDIO: ["audio", "recording"] };
const lost = new Set(); // addresses: a row that comes anew shows its placeholder at once

/** Replace what is known not to load inside `root`. */
export function dropLost(root) {
  for (const element of root.querySelectorAll("img, video, audio"))
    if (lost.has(element.src)) replace(element);
}

function replace(element) {
  const [name, word] = KINDS[element.tagName];
  const place = document.createElement("span");
  if (element.classList.contains("row-thumb")) {
    place.className = "row-thumb media-lost";
    place.title = `The ${word} cannot be loaded.`;
    place.append(icon(name));
  } else {
    place.className = "file-card media-lost";
    place.append(icon(name), words(`The ${word} cannot be shown here.`), ...opener(element));
  }
  element.replaceWith(place);
}

function words(text) {
  const span = document.createElement("span");
  span.className = "file-name";
  span.textContent = text;
  return span;
}

/** A link to an address that stands in no link already. */
function opener(element) {
  if (element.closest("a") || !/^https?:/i.test(element.src)) return [];
  const link = document.createElement("a");
  link.className = "button button-small";
  link.href = element.src;
  link.target = "_blank";
  link.rel = "noopener noreferrer";
  link.append(icon("external"), "Open");
  return [link];
}

function onError({ target }) {
  if (!(target.tagName in KINDS) || "retries" in target.dataset) return;
  lost.add(target.src);
  replace(target);
}

document.addEventListener("error", onError, { capture: true }); // the event does not bubble
addEventListener("online", () => lost.clear());

// What failed before this module was there
for (const img of document.images)
  if (img.complete && img.currentSrc && !img.naturalWidth) onError({ target: img });
/** @type {NodeListOf<HTMLMediaElement>} */
const players = document.querySelectorAll("video, audio");
for (const player of players) if (player.error) onError({ target: player });
