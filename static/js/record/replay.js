// The record as a time line: scrub, step, play at several speeds, jump to errors and to the longest gap.
//
// "Where we are" is a number of frames; all of them means live. What is shown at a place are the frames before it.
// A moment would not do: frames that arrived together share theirs.

import { spanOf } from "./frametext.js";

const COLUMNS = 200; // of the drawing
const HALF = 24; // units above and below its middle
const WIDE = 1000; // units
const FIRST_MS = 100;
const DRAW_MS = 500; // while frames come
const MAX_STEP = 200; // frames in one turn at "max"
const LOOK_MS = 150; // how often the frame at the play head is shown in full while it plays
const GAP_MS = 250; // a shorter pause is no gap

const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(`replay-${id}`));
const SVG = "http://www.w3.org/2000/svg";

export class Replay {
  #record;
  #tabs;
  #frames;
  #scrubber = /** @type {HTMLInputElement} */ (byId("at"));
  #place = /** @type {HTMLElement} */ (document.getElementById("replay"));
  /** @type {number | null} how many frames; null: the end, live */
  #at = null;
  #ms = 0; // the moment of that place; it goes on between two frames while it plays
  #playing = 0; // handle of the next turn
  #before = 0; // when the last turn was, ms
  #looked = 0;
  /** @type {number | undefined} */
  #drawn;
  #gap = { length: 0, index: 0 };

  constructor(record, tabs, signal) {
    [this.#record, this.#tabs, this.#frames] = [record, tabs, record.list];
    signal.addEventListener("abort", () => {
      cancelAnimationFrame(this.#playing);
      clearTimeout(this.#drawn);
    });
    record.onFrame((frame) => this.#grown(frame));
    record.onWrite(() => this.#tell());
    tabs.on((name) => name === "events" && this.#at !== null && this.#look(this.#all[this.#at - 1]));
    this.#scrubber.addEventListener("input", () => this.#scrub(Number(this.#scrubber.value)));
    byId("play").addEventListener("click", () => (this.#playing ? this.#pause() : this.#play()));
    byId("back").addEventListener("click", () => this.#step(-1));
    byId("on").addEventListener("click", () => this.#step(1));
    byId("error").addEventListener("click", () => this.#nextError());
    byId("gap").addEventListener("click", () => this.#goTo(this.#gap.index + 1));
    byId("end").addEventListener("click", () => this.#goTo(this.#all.length));
  }

  get #all() {
    return this.#frames.all;
  }

  get #length() {
    return this.#all.at(-1)?.offset_ms ?? 0;
  }

  /** How many frames there are up to this moment. */
  #countAt(ms) {
    let [low, high] = [0, this.#all.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#all[middle].offset_ms <= ms) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  // --- what comes ---

  #grown(frame) {
    const before = this.#all.at(-2)?.offset_ms;
    const pause = before === undefined ? 0 : frame.offset_ms - before;
    if (pause > this.#gap.length) this.#gap = { length: pause, index: this.#all.length - 1 };
    this.#drawn ??= setTimeout(() => this.#draw(), this.#place.hidden ? FIRST_MS : DRAW_MS);
  }

  #draw() {
    this.#drawn = undefined;
    this.#place.hidden = this.#all.length < 2;
    byId("error").hidden = !this.#all.some(isError);
    byId("gap").hidden = this.#gap.length < GAP_MS;
    byId("gap").title = byId("gap-word").textContent = `Longest gap, ${spanOf(this.#gap.length)}`;
    byId("marks").replaceChildren(...this.#bars());
  }

  /** Received above the middle, sent below it; the tallest column is the busiest. */
  #bars() {
    const columns = Array.from({ length: COLUMNS }, () => ({ in: 0, out: 0, error: false }));
    const scale = (COLUMNS - 1) / (this.#length || 1);
    for (const frame of this.#all) {
      // An imported run may tell of times that go backwards.
      const place = Math.round(Math.max(0, frame.offset_ms) * scale);
      const column = columns[Math.min(COLUMNS - 1, place)];
      column[frame.direction ?? "in"] += 1;
      column.error ||= isError(frame);
    }
    const isOneWay = columns.every(({ out }) => !out);
    byId("marks").setAttribute("viewBox", `0 0 ${WIDE} ${isOneWay ? HALF : 2 * HALF}`);
    const most = Math.max(...columns.map(({ in: received, out }) => Math.max(received, out)));
    return columns.flatMap((column, index) => [
      ...bar(index, column.in / most, "in", column.error),
      ...bar(index, column.out / most, "out", false),
    ]);
  }

  // --- where we are ---

  #scrub(ms) {
    this.#goTo(this.#countAt(ms), ms);
  }

  /** At the end of what is known it is live again. */
  #move(count, ms = this.#momentOf(count)) {
    this.#at = count < this.#all.length ? count : null;
    this.#ms = ms;
    this.#record.showUntil(this.#at);
    this.#tell();
    this.#look(this.#all[count - 1]);
  }

  /** When the last of so many frames came, ms; 0 before the first. */
  #momentOf(count) {
    return this.#all[count - 1]?.offset_ms ?? 0;
  }

  /** Show the frame at the play head in full; not faster than an eye can follow. */
  #look(frame) {
    if (!frame || this.#tabs.open !== "events") return;
    if (this.#playing && performance.now() - this.#looked < LOOK_MS) return;
    this.#looked = performance.now();
    this.#frames.mark(frame);
    if (frame !== this.#record.detail.frame) this.#record.detail.open(frame);
  }

  #tell() {
    const count = this.#at ?? this.#all.length;
    const ms = this.#at === null ? this.#length : this.#ms;
    this.#scrubber.max = String(this.#length);
    this.#scrubber.value = String(ms);
    const words = `${spanOf(ms)} of ${spanOf(this.#length)}, ${number(count)} of ${number(this.#all.length)}`;
    byId("where").textContent = words;
    this.#scrubber.setAttribute("aria-valuetext", words);
    byId("end").hidden = this.#at === null;
    byId("end").title = byId("end-word").textContent =
      document.getElementById("part-head")?.dataset.ended === "true" ? "To the end" : "Back to live";
  }

  /** The list ends at the head: its end is brought into view, except to a reader who scrolled up while it plays. */
  #goTo(count, ms) {
    this.#pause();
    this.#move(count, ms);
    this.#frames.follower.toEnd();
  }

  #step(by) {
    const here = this.#at ?? this.#all.length;
    this.#goTo(Math.min(this.#all.length, Math.max(Math.min(1, here), here + by)));
  }

  #nextError() {
    const here = this.#at ?? 0;
    const next = this.#all.findIndex((frame, index) => index >= here && isError(frame));
    this.#goTo(1 + (next < 0 ? this.#all.findIndex(isError) : next));
  }

  // --- playing ---

  #play() {
    if (this.#at === null) this.#scrub(Math.min(0, this.#all[0].offset_ms));
    this.#frames.follower.toEnd();
    byId("word").textContent = "Pause";
    this.#before = performance.now();
    this.#playing = requestAnimationFrame((now) => this.#turn(now));
  }

  #pause() {
    cancelAnimationFrame(this.#playing);
    this.#playing = 0;
    byId("word").textContent = "Play";
  }

  #turn(now) {
    const speed = /** @type {HTMLSelectElement} */ (byId("speed")).value;
    const passed = Math.max(0, now - this.#before);
    this.#before = now;
    const ms = this.#ms + passed * Number(speed);
    const count = speed === "max" ? (this.#at ?? 0) + MAX_STEP : this.#countAt(ms);
    if (count >= this.#all.length) {
      this.#goTo(this.#all.length);
      return;
    }
    this.#playing = requestAnimationFrame((later) => this.#turn(later));
    if (speed === "max") this.#move(count);
    else this.#move(count, ms);
  }
}

const number = (count) => count.toLocaleString("en");
const isError = ({ tone }) => tone === "error";

function bar(index, share, way, hasError) {
  if (!share) return [];
  const height = Math.max(3, share * (HALF - 2));
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("class", hasError ? "mark mark-error" : `mark mark-${way}`);
  rect.setAttribute("x", String((index * WIDE) / COLUMNS));
  rect.setAttribute("width", String((WIDE / COLUMNS) * 0.8));
  rect.setAttribute("y", String(way === "in" ? HALF - height : HALF + 1));
  rect.setAttribute("height", String(height));
  return [rect];
}
