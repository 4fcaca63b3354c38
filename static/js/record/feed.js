// Every frame of a record once and in order, whichever way it comes: pushed by a socket, or asked for by GET.

import { request } from "../lib/http.js";

const AGAIN_MS = 2000; // after an error
const LATER_MS = 300; // for what was announced and is not on disk yet

export class Feed {
  #last = 0;
  #early = new Map(); // number -> frame that came before one that is missing
  #announced = 0; // the highest number we heard of
  /** @type {Promise<void> | null} */
  #asking = null;
  /** @type {number | undefined} */
  #timer;
  #stopped = false;
  ended = false;

  /** `take` gets each frame, or how many were `missed`; `patience`: ms to wait for what is missing before it is asked for. */
  constructor(url, take, { patience = 0 } = {}) {
    this.url = url;
    this.take = take;
    this.patience = patience;
  }

  get last() {
    return this.#last;
  }

  stop() {
    this.#stopped = true;
    clearTimeout(this.#timer);
  }

  /** Take what follows; ask for what is missing. */
  hear(frames, last) {
    this.#announced = Math.max(this.#announced, last);
    for (const frame of frames) this.#next(frame);
    if (this.#announced > this.#last) this.#askIn(this.patience);
  }

  /** These numbers will never come: go on behind them, once what is before them is here. */
  skip(from, to) {
    const first = Math.max(from, this.#last + 1);
    if (first > to) return;
    this.hear([{ number: first, to, missed: to - first + 1 }], to);
  }

  #next(frame) {
    if (this.#stopped || frame.number <= this.#last) return;
    this.#early.set(frame.number, frame);
    for (let next; (next = this.#early.get(this.#last + 1));) {
      this.#early.delete(next.number);
      this.#last = next.to ?? next.number;
      this.take(next);
    }
  }

  #askIn(ms) {
    if (this.#stopped) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#announced > this.#last) this.catchUp();
    }, ms);
  }

  /** Ask until there is no more; resolves also when the server cannot be asked now. */
  catchUp() {
    this.#asking ??= this.#askAll().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #askAll() {
    try {
      while (!this.#stopped && (await this.#askOnce()));
      if (this.#announced > this.#last && !this.ended) this.#askIn(LATER_MS);
    } catch {
      this.#announced = Math.max(this.#announced, this.#last + 1);
      this.#askIn(AGAIN_MS);
    }
  }

  /** True: there may be more. */
  async #askOnce() {
    const reply = await request(`${this.url}?after=${this.#last}`);
    if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
    const { frames, ended } = await reply.json();
    for (const frame of frames) this.#next(frame);
    this.ended = ended;
    return frames.length > 0 && !ended;
  }
}
