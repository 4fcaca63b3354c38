// The record of a request: its frames are fetched and followed once, for all parts of the page that show them.

import { FrameDetail } from "./framedetail.js";
import { Feed } from "./feed.js";
import { FrameList } from "./frames.js";
import { live } from "../lib/socket.js";

const WRITE_MS = 100; // the page is written ten times a second at most

export class Record {
  #takers = [];
  #movers = [];
  #writers = [];
  /** @type {number | undefined} */
  #timer;
  #feed;

  /** The record of the request `id`. All ends with the signal. */
  constructor(root, id, tabs, signal) {
    this.url = root.dataset.frames;
    this.#feed = new Feed(this.url, (frame) => this.#take(frame));
    signal.addEventListener("abort", () => {
      this.#feed.stop();
      clearTimeout(this.#timer);
    });
    const frames = root.querySelector("[data-frames-root]");
    this.detail = new FrameDetail(frames, {
      base: () => this.url,
      closed: () => this.list.mark(null),
      pairOf: (frame) => this.list.pairOf(frame),
      go: (frame) => this.list.choose(frame),
    });
    this.list = new FrameList(frames, { open: (frame) => this.detail.open(frame) });
    tabs.on((name) => name === "events" && this.list.follower.grown());
    const heard = ({ request, frames, last }) => request === id && this.#feed.hear(frames, last);
    live.on("frames", heard, { signal });
    const changed = ({ rows }) => {
      if (!this.#feed.ended && rows.some(([changed]) => changed === id)) this.#feed.catchUp();
    };
    live.on("changed", changed, { signal });
    // In the next task, so that those who show the frames get the first one too.
    queueMicrotask(() =>
      this.#feed.catchUp().then(() => live.watchRequest(id, () => this.#feed.last, signal)),
    );
  }

  /** Call `take` with every frame, from the first on. */
  onFrame(take) {
    this.#takers.push(take);
  }

  /** Call `move` with how many frames are to be shown, from the first on; null: all, as they come. */
  onMoment(move) {
    this.#movers.push(move);
  }

  /** Call `write` soon after something came or moved: all in one turn, so that no two numbers disagree. */
  onWrite(write) {
    this.#writers.push(write);
  }

  soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      for (const write of this.#writers) write();
    }, WRITE_MS);
  }

  showUntil(count) {
    for (const box of [this.list.list, document.getElementById("panel-output")]) hold(box, count !== null);
    this.list.showUntil(count);
    for (const move of this.#movers) move(count);
    this.soon();
  }

  #take(frame) {
    document.getElementById("record-empty")?.remove();
    this.list.add(frame);
    for (const take of this.#takers) take(frame);
    this.soon();
  }
}

/** A moment of the past is shorter than the whole: what it is shown in stays as high, or the bar would move away. */
function hold(box, isHeld) {
  if (!box) return;
  if (!isHeld) box.style.minHeight = "";
  else box.style.minHeight ||= `${box.offsetHeight}px`;
}
