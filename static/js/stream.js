// The two views of a stream, merged and event by event, over the same frames.
//
// Frames come by GET (the past, gaps) and by the socket (news); only the next number is taken, so that nothing
// is shown twice or left out. The page is written ten times a second at most.

import { announce } from "./announce.js";
import { Follower } from "./follow.js";
import { FrameList } from "./frames.js";
import { mediaJudge, Merged } from "./merge.js";
import { live } from "./socket.js";
import { duration } from "./time.js";
import { treeOf } from "./jsontree.js";

const WRITE_MS = 100;
const AGAIN_MS = 2000;
const WAY_KEY = "faldeck.stream-way.";

const root = document.getElementById("stream");
const byId = (id) => document.getElementById(id);

/** Every frame once and in order, whichever way it comes. */
class Frames {
  #last = 0;
  #asking = false;
  #announced = 0; // the highest number we heard of
  ended = false;

  constructor(url, take) {
    this.url = url;
    this.take = take;
  }

  get last() {
    return this.#last;
  }

  /** Take what follows; ask for what is missing. */
  hear(frames, last) {
    this.#announced = Math.max(this.#announced, last);
    for (const frame of frames) this.#next(frame);
    if (this.#announced > this.#last) this.catchUp();
  }

  #next(frame) {
    if (frame.number !== this.#last + 1) return;
    this.#last = frame.number;
    this.take(frame);
  }

  async catchUp() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      while (await this.#askOnce());
    } catch {
      setTimeout(() => this.catchUp(), AGAIN_MS);
    } finally {
      this.#asking = false;
    }
  }

  /** True: there may be more. */
  async #askOnce() {
    const reply = await fetch(`${this.url}?after=${this.#last}`, { redirect: "error" });
    if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
    const { frames, ended } = await reply.json();
    for (const frame of frames) this.#next(frame);
    this.ended = ended;
    return frames.length > 0 && !ended;
  }

  restart() {
    this.#last = 0;
    return this.catchUp();
  }
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
  #list = new FrameList(root.dataset.frame);
  #follower = new Follower(byId("stream-text"), byId("follow-stream"));
  #frames = new Frames(root.dataset.frames, (frame) => this.#take(frame));

  constructor() {
    this.#select.value = remembered() ?? "auto";
    this.#select.closest("label").hidden = false;
    this.#select.addEventListener("change", () => this.#chooseWay());
    this.#merged = this.#fresh();
    live.on("frames", ({ request, frames, last }) => request === id() && this.#frames.hear(frames, last));
    live.on("changed", ({ rows }) => {
      if (!this.#frames.ended && rows.some(([changed]) => changed === id())) this.#frames.catchUp();
    });
    this.#frames.catchUp().then(() => live.watchRequest(id(), () => this.#frames.last));
  }

  #fresh() {
    return new Merged(this.#select.value, this.#mayShow);
  }

  #chooseWay() {
    remember(this.#select.value);
    this.#merged = this.#fresh();
    this.#count = this.#bytes = 0;
    this.#shownText = "";
    this.#list.clear();
    this.#frames.restart();
  }

  #take(frame) {
    this.#count += 1;
    this.#bytes += frame.size;
    this.#first ??= frame.offset_ms;
    if (frame.data !== null) this.#merged.add(frame.data);
    this.#list.add(frame);
    this.#timer ??= setTimeout(() => this.#write(), WRITE_MS);
  }

  #write() {
    this.#timer = null;
    byId("stream-events").textContent = this.#count.toLocaleString("en");
    byId("stream-bytes").textContent = sizeOf(this.#bytes);
    byId("stream-first").textContent = this.#first < 1000 ? `${Math.round(this.#first)} ms` : duration(this.#first / 1000);
    byId("stream-empty").hidden = true;
    this.#list.write();
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
    box.hidden = Boolean(this.#merged.text || this.#merged.images.length);
    if (!box.hidden) box.replaceChildren(treeOf(this.#merged.last ?? null));
  }
}

const id = () => byId("request-page").dataset.request;

function sizeOf(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
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
