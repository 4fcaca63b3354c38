// What a file field shows of the file at its address: picture, player or card, with what is known of it.

import { icon } from "../../lib/icon.js";
import { findMedia, isShowable, pageSources } from "../../lib/media.js";
import { factsOf } from "./known.js";
import { factsLine } from "./words.js";

const PAUSE_MS = 500; // a half-typed address is not fetched
const KINDS = { mask: "image", image: "image", video: "video", audio: "audio" };
const MAX_DATA_URI = 2 * 1024 * 1024; // characters
const timers = new WeakMap();

/** Draw the file at this address, soon if it is being typed. */
export function showFile(field, url) {
  clearTimeout(timers.get(field));
  const isTyped = document.activeElement?.matches("[data-input]") && field.contains(document.activeElement);
  if (isTyped)
    timers.set(
      field,
      setTimeout(() => draw(field, url), PAUSE_MS),
    );
  else draw(field, url);
}

function draw(field, url) {
  const place = field.querySelector("[data-preview]");
  if (!place || place.dataset.of === url) return;
  place.dataset.of = url;
  place.hidden = !/^(https?:\/\/.|data:.)/i.test(url);
  place.replaceChildren();
  if (place.hidden) return;
  /** @type {import("./words.js").Facts} */
  const facts = { ...(/^data:/i.test(url) ? factsOfInline(url) : factsOf(url)) };
  const line = document.createElement("p");
  line.className = "help media-facts";
  const said = () => (line.textContent = factsLine(facts));
  const name = document.createElement("span");
  name.className = "media-name clip";
  name.textContent = facts.name ?? nameIn(url);
  const words = document.createElement("div");
  words.className = "media-words";
  words.append(name, line);
  place.append(shown(kindOf(field, url), url, facts, said), words);
  said();
}

function kindOf(field, url) {
  if (!isShowable(url, pageSources(), MAX_DATA_URI)) return "file";
  return KINDS[field.dataset.kind] ?? findMedia(url, pageSources(), MAX_DATA_URI)[0]?.kind ?? "file";
}

function shown(kind, url, facts, said) {
  if (kind === "image") {
    const picture = document.createElement("img");
    picture.addEventListener("load", () => {
      [facts.width, facts.height] = [picture.naturalWidth, picture.naturalHeight];
      said();
    });
    picture.referrerPolicy = "no-referrer";
    picture.alt = "The chosen file";
    picture.src = url;
    return picture;
  }
  if (kind === "video" || kind === "audio") {
    const player = document.createElement(kind);
    player.controls = true;
    player.preload = "metadata";
    player.addEventListener("loadedmetadata", () => {
      if (Number.isFinite(player.duration)) facts.duration = player.duration;
      if (player instanceof HTMLVideoElement && player.videoWidth)
        [facts.width, facts.height] = [player.videoWidth, player.videoHeight];
      said();
    });
    player.src = url;
    return player;
  }
  const card = document.createElement("span");
  card.className = "media-card";
  card.append(icon("file"));
  return card;
}

function factsOfInline(url) {
  const [head, ...rest] = url.split(",");
  const length = rest.join(",").length;
  const isBase64 = /;base64$/i.test(head);
  const size = isBase64 ? Math.floor((length * 3) / 4) : length;
  return { name: "Data URI", type: head.slice(5).split(";")[0], size };
}

function nameIn(url) {
  try {
    const { pathname, hostname } = new URL(url);
    return decodeURIComponent(pathname.split("/").pop() || hostname);
  } catch {
    return url.slice(0, 80);
  }
}
