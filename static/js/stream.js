// The merged view of a stream: text that grows, the newest pictures, or the newest value.
//
// The page is written ten times a second at most.

import { announce } from "./announce.js";
import { Follower } from "./follow.js";
import { Feed } from "./feed.js";
import { sizeOf, spanOf } from "./frametext.js";
import { treeOf } from "./jsontree.js";
import { mediaJudge, Merged } from "./merge.js";
import { record } from "./record.js";

const WRITE_MS = 100;
const WAY_KEY = "faldeck.stream-way.";

const root = document.getElementById("stream");
const byId = (id) => document.getElementById(id);

/** Frames merged in order; a large one is fetched first, and those behind it wait. */
class Merging {
  #waiting = null; // a promise while a large frame is on its way
  #isOver = false;

  constructor(merged, grown) {
    this.merged = merged;
    this.grown = grown;
  }

  stop() {
    this.#isOver = true;
  }

  take(frame) {
    if (!this.#waiting && frame.data !== null) this.#add(frame.data);
    else {
      const mine = (this.#waiting ?? Promise.resolve()).then(() => this.#fetched(frame));
      this.#waiting = mine;
      mine.then(() => this.#waiting === mine && (this.#waiting = null));
    }
  }

  async #fetched({ number, data }) {
    if (this.#isOver) return;
    this.#add(data ?? (await fetchText(`${root.dataset.frames}${number}/`)));
  }

  #add(text) {
    if (this.#isOver || text === null) return;
    this.merged.add(text);
    this.grown();
  }
}

async function fetchText(url) {
  const reply = await fetch(url, { redirect: "error" }).catch(() => null);
  return reply?.ok ? reply.text() : null;
}

class StreamView {
  #mayShow = mediaJudge(root.dataset.hosts.split(" ").filter(Boolean));
  #select = byId("stream-way");
  #merged;
  #count = 0;
  #bytes = 0;
  #first = null; // ms
  #timer = null;
  #shownImages = "";
  #shownText = "";
  #follower = new Follower(byId("stream-text"), byId("follow-stream"));
  #merging;
  #feed = null; // all frames once more, after another way was chosen

  constructor() {
    this.#select.value = remembered() ?? "auto";
    this.#select.closest("label").hidden = false;
    this.#select.addEventListener("change", () => this.#chooseWay());
    this.#begin();
    record.onFrame((frame) => this.#take(frame));
  }

  #begin() {
    this.#merged = new Merged(this.#select.value, this.#mayShow);
    this.#merging = new Merging(this.#merged, () => this.#soon());
  }

  #chooseWay() {
    remember(this.#select.value);
    this.#merging.stop();
    this.#feed?.stop();
    this.#begin();
    this.#shownText = "";
    this.#feed = new Feed(root.dataset.frames, (frame) => this.#merging.take(frame));
    this.#feed.catchUp();
  }

  #take(frame) {
    this.#count += 1;
    this.#bytes += frame.size;
    this.#first ??= frame.offset_ms;
    if (this.#feed) this.#feed.hear([frame], frame.number);
    else this.#merging.take(frame);
    this.#soon();
  }

  #soon() {
    this.#timer ??= setTimeout(() => this.#write(), WRITE_MS);
  }

  #write() {
    this.#timer = null;
    byId("stream-events").textContent = this.#count.toLocaleString("en");
    byId("stream-bytes").textContent = sizeOf(this.#bytes);
    byId("stream-first").textContent = spanOf(this.#first);
    byId("stream-empty").hidden = true;
    this.#writeText();
    this.#writeImages();
    this.#writeValue();
  }

  #writeText() {
    const { text } = this.#merged;
    const box = byId("stream-text");
    box.hidden = !text;
    if (text === this.#shownText) return;
    // A text that only grew is added to: selections survive, and a long one costs no more than a short one.
    if (this.#shownText && text.startsWith(this.#shownText)) box.append(text.slice(this.#shownText.length));
    else box.textContent = text;
    this.#shownText = text;
    this.#follower.grown();
  }

  #writeImages() {
    const { images } = this.#merged;
    const place = byId("stream-images");
    place.hidden = !images.length;
    const key = images.join("\n");
    if (key === this.#shownImages) return;
    this.#shownImages = key;
    images.forEach((url, index) => {
      const img = place.children[index] ?? place.appendChild(document.createElement("img"));
      img.referrerPolicy = "no-referrer";
      img.alt = `image ${index + 1}, newest`;
      img.src = url;
    });
    while (place.children.length > images.length) place.lastElementChild.remove();
  }

  /** Events that are neither text nor picture: the newest one as a tree. */
  #writeValue() {
    const box = byId("stream-json");
    box.hidden = Boolean(this.#merged.text || this.#merged.images.length) || this.#merged.last === undefined;
    if (!box.hidden) box.replaceChildren(treeOf(this.#merged.last ?? null));
  }
}

function remembered() {
  try {
    return localStorage.getItem(WAY_KEY + root.dataset.endpoint);
  } catch {
    return null; // storage may be forbidden
  }
}

function remember(way) {
  try {
    localStorage.setItem(WAY_KEY + root.dataset.endpoint, way);
  } catch {
    announce("The choice holds for this page only.");
  }
}

if (root) new StreamView();
