// The record on a request page: its frames are fetched and followed once, for everyone who shows them.

import { FrameDetail } from "./framedetail.js";
import { Feed } from "./feed.js";
import { FrameList } from "./frames.js";
import { live } from "../lib/socket.js";
import { onTab } from "../lib/tabs.js";

const root = document.getElementById("record");

const WRITE_MS = 100; // the page is written ten times a second at most

class Record {
  #takers = [];
  #movers = [];
  #writers = [];
  #timer = null;
  #id = document.getElementById("request-page").dataset.request;
  #feed = new Feed(root.dataset.frames, (frame) => this.#take(frame));

  constructor() {
    const frames = root.querySelector("[data-frames-root]");
    this.detail = new FrameDetail(frames, {
      base: () => root.dataset.frames,
      closed: () => this.list.mark(null),
      pairOf: (frame) => this.list.pairOf(frame),
      go: (frame) => this.list.choose(frame),
    });
    this.list = new FrameList(frames, { open: (frame) => this.detail.open(frame) });
    onTab((name) => this.#opened(name));
    live.on("frames", ({ request, frames, last }) => request === this.#id && this.#feed.hear(frames, last));
    live.on("changed", ({ rows }) => {
      if (!this.#feed.ended && rows.some(([changed]) => changed === this.#id)) this.#feed.catchUp();
    });
    // In the next task, so that modules which import this one get the first frame too.
    queueMicrotask(() => this.#feed.catchUp().then(() => live.watchRequest(this.#id, () => this.#feed.last)));
  }

  get url() {
    return root.dataset.frames;
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
      this.#timer = null;
      for (const write of this.#writers) write();
    }, WRITE_MS);
  }

  showUntil(count) {
    this.list.showUntil(count);
    for (const move of this.#movers) move(count);
    this.soon();
  }

  #opened(tab) {
    const bar = document.getElementById("record-bar");
    bar.hidden = !bar.dataset.tabs.split(" ").includes(tab);
    if (tab === "events") this.list.follower.grown();
  }

  #take(frame) {
    document.getElementById("record-empty")?.remove();
    this.list.add(frame);
    for (const take of this.#takers) take(frame);
    this.soon();
  }
}

/** null on pages without one. */
export const record = root ? new Record() : null;
