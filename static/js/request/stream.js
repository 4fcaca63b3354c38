// The merged view of a stream: text that grows, the newest pictures, or the newest value; at the moment of a replay too.

import { request } from "../lib/http.js";
import { announce } from "../lib/announce.js";
import { Follower } from "../lib/follow.js";
import { Feed } from "../record/feed.js";
import { sizeOf, spanOf } from "../record/frametext.js";
import { plainOf } from "../lib/jsontext.js";
import { treeOfText } from "../lib/jsontree.js";
import { pageSources, picturesIn } from "../lib/media.js";
import { Merged } from "./merge.js";

const QUIET_MS = 5000; // without an event; then the page says so
const WAY_KEY = "faldeck.stream-way.";

const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));
const root = () => byId("stream");

/** Frames merged in order; a large one is fetched first, and those behind it wait. */
class Merging {
  /** @type {Promise<void> | null} while a large frame is on its way */
  #waiting = null;
  #isOver = false;

  constructor(merged, url, grown) {
    this.merged = merged;
    this.url = url;
    this.grown = grown;
  }

  stop() {
    this.#isOver = true;
  }

  take(frame) {
    // What is no output is not shown here: a large one need not be fetched.
    const isWanted = frame.data === null && (!frame.says || frame.says === "output");
    if (isWanted || this.#waiting) this.#takeInTurn(frame, isWanted);
    else this.#add(frame.data, frame.says);
  }

  #takeInTurn(frame, isWanted) {
    const mine = (this.#waiting ?? Promise.resolve()).then(() => this.#fetched(frame, isWanted));
    this.#waiting = mine;
    mine.then(() => this.#waiting === mine && (this.#waiting = null));
  }

  async #fetched({ number, data, says }, isWanted) {
    if (this.#isOver) return;
    this.#add(isWanted ? await fetchText(`${this.url}${number}/`) : data, says);
  }

  #add(text, says) {
    if (this.#isOver) return;
    if (text === null) this.merged.skip();
    else this.merged.add(text, says);
    this.grown();
  }
}

async function fetchText(url) {
  const reply = await request(url).catch(() => null);
  return reply?.ok ? reply.text() : null;
}

export class StreamView {
  #record;
  #tabs;
  #select = /** @type {HTMLSelectElement} */ (byId("stream-way"));
  #merged;
  #count = 0;
  #bytes = 0;
  #first = null; // ms
  /** @type {{ number: number } | null} the first event that tells of an error */
  #failed = null;
  #shownImages = [];
  #shownText = "";
  #follower = new Follower(byId("stream-text"), byId("follow-stream"));
  #merging;
  /** @type {Feed | null} all frames once more, after another way was chosen */
  #feed = null;
  #until = null; // replay: only so many events; null: all of them
  #look = new Look(() => this.#record.url);
  #heard = performance.now();

  constructor(record, tabs, signal) {
    [this.#record, this.#tabs] = [record, tabs];
    this.#select.value = remembered() ?? "auto";
    this.#select.addEventListener("change", () => this.#chooseWay());
    byId("stream-error-show").addEventListener("click", () => this.#showError());
    this.#begin();
    record.onFrame((frame) => this.#take(frame));
    record.onMoment((count) => this.#move(count));
    record.onWrite(() => this.#count && this.#write());
    if (byId("stream-quiet")) this.#watchQuiet(signal);
    signal.addEventListener("abort", () => this.#end());
  }

  #watchQuiet(signal) {
    const ticking = setInterval(() => this.#tellQuiet(), 1000);
    signal.addEventListener("abort", () => clearInterval(ticking));
  }

  #end() {
    this.#merging.stop();
    this.#feed?.stop();
  }

  /**
   * A model that works for long says nothing meanwhile, which looks like a page that has stopped. A full record
   * reads nothing more, so the rest is unknown here.
   */
  #tellQuiet() {
    const ms = performance.now() - this.#heard;
    const isQuiet = ms >= QUIET_MS && !byId("part-full").querySelector(".notice");
    byId("stream-quiet").textContent = isQuiet ? `Nothing came for ${spanOf(ms)}; the stream is open.` : "";
  }

  #showError() {
    this.#tabs.show("events");
    const { list } = this.#record;
    list.choose(list.all.find(({ number }) => number === this.#failed?.number));
  }

  #move(count) {
    this.#until = count;
    byId("part-output").hidden = count !== null; // the end's, not the moment's
  }

  #begin() {
    this.#merged = new Merged(this.#select.value, pageSources());
    this.#merging = new Merging(this.#merged, this.#record.url, () => this.#record.soon());
  }

  #chooseWay() {
    remember(this.#select.value);
    this.#end();
    this.#begin();
    this.#shownText = "";
    this.#feed = new Feed(this.#record.url, (frame) => this.#merging.take(frame));
    this.#feed.catchUp();
  }

  #take(frame) {
    this.#heard = performance.now();
    this.#count += 1;
    this.#bytes += frame.size;
    this.#first ??= frame.offset_ms;
    if (frame.says === "error") this.#failed ??= frame;
    if (this.#feed) this.#feed.hear([frame], frame.number);
    else this.#merging.take(frame);
  }

  #write() {
    const shown = this.#until === null ? this.#count : this.#until;
    const bytes = this.#until === null ? this.#bytes : sum(this.#record.list.all.slice(0, shown));
    byId("stream-events").textContent = shown.toLocaleString("en");
    byId("stream-bytes").textContent = sizeOf(bytes);
    byId("stream-first").textContent = spanOf(this.#first);
    byId("stream-empty").hidden = shown > 0;
    byId("stream-error").hidden = !this.#failed || this.#failed.number > shown;
    if (this.#failed)
      byId("stream-error-word").textContent = `Event ${this.#failed.number} reports an error.`;
    this.#select.closest("label")?.toggleAttribute("hidden", !this.#count);
    if (!shown) byId("stream-empty").textContent = "Before the first event.";
    if (this.#until === null) this.#show(this.#merged.text, this.#merged.images, this.#merged.last);
    else this.#showPast(this.#until);
  }

  #show(text, images, last) {
    this.#writeText(text);
    this.#writeImages(images);
    this.#writeValue(text || images.length ? undefined : last);
  }

  /** As it was after `count` events. A picture or a value is looked up; the newest wish wins. */
  #showPast(count) {
    const { text, pictures, value: newest } = this.#merged.at(count);
    this.#writeText(text);
    const wanted = pictures >= 0 ? pictures : text ? -1 : newest;
    this.#look.at(this.#record.list.all[wanted], (data) => {
      if (this.#until === null) return;
      const images = pictures >= 0 ? picturesIn(plainOf(data) ?? data, pageSources()) : [];
      this.#writeImages(images);
      this.#writeValue(text || images.length ? undefined : data);
    });
  }

  #writeText(text) {
    const box = byId("stream-text");
    box.hidden = !text;
    if (text === this.#shownText) return;
    // A text that only grew is added to: selections survive, and a long one costs no more than a short one.
    if (this.#shownText && text.startsWith(this.#shownText)) box.append(text.slice(this.#shownText.length));
    else box.textContent = text;
    this.#shownText = text;
    this.#follower.grown();
  }

  #writeImages(images) {
    const place = byId("stream-images");
    place.hidden = !images.length;
    const before = this.#shownImages;
    this.#shownImages = images;
    if (images === before || isSame(images, before)) return;
    images.forEach((url, index) => {
      const img = imageAt(place, index);
      img.referrerPolicy = "no-referrer";
      img.alt = `image ${index + 1}`;
      img.src = url;
    });
    while (place.children.length > images.length) place.lastElementChild?.remove();
  }

  /** Events that are neither text nor picture: one as a tree. */
  #writeValue(text) {
    const box = byId("stream-json");
    box.hidden = text === undefined;
    if (!box.hidden) box.replaceChildren(treeOfText(text) ?? text);
  }
}

/** The picture at this place, or a new one where there is none or the one before it could not be loaded. */
function imageAt(place, index) {
  const here = place.children[index];
  if (here?.tagName === "IMG") return here;
  const img = document.createElement("img");
  if (here) here.replaceWith(img);
  else place.append(img);
  return img;
}

/** The text of one event in the past: one question at a time, and only the newest wish is answered. */
class Look {
  #url;
  /** @type {{ frame: any, take: (data?: string) => void } | null} */
  #wish = null;
  #isBusy = false;

  constructor(url) {
    this.#url = url;
  }

  at(frame, take) {
    this.#wish = { frame, take };
    if (!this.#isBusy) this.#answer();
  }

  async #answer() {
    this.#isBusy = true;
    while (this.#wish) {
      const { frame, take } = this.#wish;
      this.#wish = null;
      const data = frame && (frame.data ?? (await fetchText(`${this.#url()}${frame.number}/`)));
      if (!this.#wish) take(data ?? undefined);
    }
    this.#isBusy = false;
  }
}

/** Address by address: one may be megabytes long. */
const isSame = (one, other) => one.length === other.length && one.every((url, at) => url === other[at]);

const sum = (frames) => frames.reduce((total, { size }) => total + size, 0);

function remembered() {
  try {
    return localStorage.getItem(WAY_KEY + root().dataset.endpoint);
  } catch {
    return null; // storage may be forbidden
  }
}

function remember(way) {
  try {
    localStorage.setItem(WAY_KEY + root().dataset.endpoint, way);
  } catch {
    announce("The choice holds for this page only.");
  }
}
