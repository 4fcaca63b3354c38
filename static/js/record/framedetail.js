// One frame in full: what can be seen or heard in it, the decoded tree, the bytes as hex.

import { request } from "../lib/http.js";
import { hexOf, mediaIn, momentOf, offsetOf, sizeOf, spanOf } from "./frametext.js";
import { plainOf } from "../lib/jsontext.js";
import { treeOfText } from "../lib/jsontree.js";
import { findMedia, pageSources } from "../lib/media.js";
import { timeElement } from "../lib/time.js";

const HEX_BYTES = 4096; // shown at first
const MOST_MEDIA = 12;
const AGAIN_MS = [300, 900]; // a frame is shown a moment before it is on disk

export class FrameDetail {
  /** @type {any} */
  #frame = null;
  /** @type {string | null} */
  #text = null;
  #view = "decoded";

  /**
   * `base()` is the address of the record's frames, ending in a slash; `pairOf(frame)` the one it answers or is
   * answered by.
   *
   * @param {HTMLElement} root
   * @param {{
   *   base: () => string,
   *   reuse?: (text: string, kind: string) => void,
   *   closed?: () => void,
   *   pairOf?: (frame: any) => any,
   *   go?: (frame: any) => void,
   * }} uses
   */
  constructor(root, { base, reuse, closed = () => {}, pairOf = () => null, go = () => {} }) {
    this.root = root;
    this.base = base;
    for (const tab of this.#tabs()) tab.addEventListener("click", () => this.#turn(tab.dataset.view));
    this.#part("close-detail").addEventListener("click", () => {
      const hadFocus = this.#part("detail").contains(document.activeElement);
      this.close();
      if (hadFocus) this.#part("list").focus({ preventScroll: true });
      closed();
    });
    this.#part("reuse").addEventListener("click", () => reuse?.(this.#text ?? "", this.#frame.kind));
    this.#part("pair").addEventListener("click", () => go(pairOf(this.#frame)));
    this.pairOf = pairOf;
    this.reuse = reuse;
  }

  get frame() {
    return this.#frame;
  }

  close() {
    this.#frame = null;
    this.#part("detail").hidden = true;
  }

  async open(frame) {
    this.#frame = frame;
    this.#text = frame.data;
    this.#head(frame);
    this.#text ??= await this.#load(frame, "", (reply) => reply.text());
    if (this.#frame !== frame) return; // another one was opened meanwhile
    this.#media(frame);
    this.#part("reuse").hidden =
      !this.reuse || !["msgpack", "json"].includes(frame.kind) || this.#text === null;
    await this.#body(frame);
  }

  #head(frame) {
    const { number, offset_ms: offset, size, kind = "event", direction = "in" } = frame;
    const name =
      kind === "event"
        ? `Event ${number}`
        : `Message ${number}, ${direction === "out" ? "sent" : "received"}, ${kind}`;
    const moment = momentOf(this.root, offset);
    const at = moment ? [", ", timeElement(moment, "clock")] : [];
    this.#part("title").replaceChildren(`${name}, ${offsetOf(offset)}, ${sizeOf(size)}`, ...at);
    this.#pair(frame);
    /** @type {HTMLAnchorElement} */ (this.#part("download")).href = this.#url(
      frame,
      kind === "event" ? "" : "raw/",
    );
    this.#part("detail").hidden = false;
  }

  #pair(frame) {
    const other = this.pairOf(frame);
    const answer = frame.pair == null ? other : frame;
    const words = frame.pair == null ? `answered by #${other?.number}` : `answers #${frame.pair}`;
    const button = /** @type {HTMLButtonElement} */ (this.#part("pair"));
    button.hidden = !answer;
    button.disabled = !other;
    button.textContent = answer ? `${words} after ${spanOf(answer.rtt_ms)}` : "";
  }

  #media(frame) {
    const place = this.#part("media");
    const value = plainOf(this.#text);
    const linked = findMedia(value, pageSources()).filter(({ kind }) => kind in ELEMENTS);
    const held = mediaIn(value).map(({ pointer, type }) => ({
      url: `${this.#url(frame, "media/")}?at=${encodeURIComponent(pointer)}`,
      kind: type.split("/")[0],
    }));
    const found = [...held, ...linked].slice(0, MOST_MEDIA);
    place.hidden = !found.length;
    place.replaceChildren(...found.map(({ url, kind }) => ELEMENTS[kind](url)));
  }

  async #body(frame) {
    const body = this.#part("body");
    if (this.#view === "decoded") {
      body.replaceChildren(decoded(this.#text));
      return;
    }
    const bytes = await this.#load(frame, "raw/", (reply) => reply.arrayBuffer());
    if (this.#frame !== frame || this.#view !== "raw") return;
    body.replaceChildren(bytes ? hex(new Uint8Array(bytes)) : decoded(null));
  }

  #turn(view) {
    this.#view = view;
    for (const tab of this.#tabs()) tab.setAttribute("aria-pressed", String(tab.dataset.view === view));
    if (this.#frame) this.#body(this.#frame);
  }

  /** null when it cannot be had. */
  async #load(frame, part, read) {
    for (const pause of [...AGAIN_MS, null]) {
      const reply = await request(this.#url(frame, part)).catch(() => null);
      if (reply?.ok) return read(reply);
      if (reply?.status !== 404 || pause === null || this.#frame !== frame) return null;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
    return null;
  }

  #url(frame, part) {
    return `${this.base()}${frame.number}/${part}`;
  }

  #part(name) {
    return /** @type {HTMLElement} */ (this.root.querySelector(`[data-${name}]`));
  }

  #tabs() {
    return this.root.querySelectorAll("[data-view]");
  }
}

function decoded(text) {
  const tree = text === null ? null : treeOfText(text);
  if (tree) return tree;
  const pre = document.createElement("pre");
  pre.textContent = text ?? "It could not be loaded: it may not be recorded, or the server is away.";
  return pre;
}

function hex(bytes) {
  const box = document.createElement("div");
  const pre = document.createElement("pre");
  pre.className = "hex";
  const more = document.createElement("button");
  more.type = "button";
  more.className = "json-more";
  let shown = 0;
  const page = (count) => {
    pre.append(`${shown ? "\n" : ""}${hexOf(bytes.subarray(shown, shown + count), shown)}`);
    shown = Math.min(bytes.length, shown + count);
    more.hidden = shown === bytes.length;
    more.textContent = `${sizeOf(bytes.length - shown)} more`;
  };
  page(HEX_BYTES);
  more.addEventListener("click", () => page(4 * HEX_BYTES));
  box.append(pre, more);
  return box;
}

function picture(url) {
  const img = document.createElement("img");
  img.referrerPolicy = "no-referrer";
  img.alt = "The picture in this frame";
  retrying(img, url);
  return img;
}

function player(name, url) {
  const element = document.createElement(name);
  element.controls = true;
  element.preload = "metadata";
  retrying(element, url);
  return element;
}

const ELEMENTS = {
  image: picture,
  video: (url) => player("video", url),
  audio: (url) => player("audio", url),
};

/** Once more after a moment: the frame may be on its way to the disk. Until then it is not lost (lostmedia.js). */
function retrying(element, url) {
  element.dataset.retries = "";
  const again = () => {
    delete element.dataset.retries;
    setTimeout(() => (element.src = url), AGAIN_MS[1]);
  };
  element.addEventListener("error", again, { once: true });
  element.src = url;
}
