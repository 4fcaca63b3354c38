// Frames as a list: direction, number, time, size, kind, first line. Filtered, paused, cleared; the newest in the page.

import { Follower } from "../lib/follow.js";
import { timeElement } from "../lib/time.js";
import { light, momentOf, offsetOf, sizeOf, spanOf } from "./frametext.js";

const MOST = 1000; // lines in the page; the server has the rest
const WRITE_MS = 100; // the page is written ten times a second at most
// Writing takes a tenth of the page's time at most: what comes in thousands, or on a busy machine, is written seldom.
const REST = 9; // times as long as the last write took
const MOST_REST_MS = 1000;
const ARROWS = { in: ["←", "received"], out: ["→", "sent"] };
const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 20, PageUp: -20, Home: -Infinity, End: Infinity };

const number = (count) => count.toLocaleString("en");

function cell(kind, text) {
  const span = document.createElement("span");
  span.className = `frame-${kind}`;
  span.textContent = text;
  return span;
}

function way({ direction = "in" }) {
  const [arrow, word] = ARROWS[direction];
  const span = cell(`way frame-way-${direction}`, arrow);
  span.setAttribute("role", "img");
  span.setAttribute("aria-label", word);
  return span;
}

/** All events of a stream come the same way and are of one kind. */
const cellsOfEvent = (frame, offset) => [
  cell("number", `#${frame.number}`),
  offset,
  cell("size", sizeOf(frame.size)),
  cell("line", frame.line),
];

function cellsOfMessage(frame, offset) {
  const [first, , size, line] = cellsOfEvent(frame, offset);
  const rtt = cell("rtt", frame.rtt_ms == null ? "" : spanOf(frame.rtt_ms));
  return [way(frame), first, offset, size, cell("kind", frame.kind ?? "event"), line, rtt];
}

const notShown = (count) => `${number(count)} ${count === 1 ? "message was" : "messages were"} not shown.`;

/** The place of messages that came while the page was behind and the record was full. */
function hole(count) {
  const line = document.createElement("p");
  line.className = "frame-hole muted small";
  line.textContent = notShown(count);
  return line;
}

export class FrameList {
  recordEnd = null; // number of the last frame in the record, when that is full
  #all = []; // what is kept, oldest first
  #read = 0; // how many of them have been looked at for the list
  /** @type {number | null} replay: only so many of them; null: all */
  #until = null;
  #total = 0;
  /** @type {number | undefined} */
  #timer;
  #restMs = 0; // until the next write after the last one
  /** @type {number | null} while paused: how many of them were there when it began */
  #pausedAt = null;
  #missed = 0; // since then
  #lost = 0; // how many messages were not shown and cannot be
  #hole = 0; // those of them right before the next frame
  #stands = false; // a full list scrolled back by the user: nothing is added until they return to its end
  #current = null; // the chosen frame's number
  #frames = new WeakMap(); // <li> -> frame

  /**
   * `keep`: how many frames are held; `open(frame)` shows one; `cleared()`: there is none to show any more.
   *
   * @param {HTMLElement} root
   * @param {{ keep?: number, open?: (frame: any) => unknown, cleared?: () => void }} uses
   */
  constructor(root, { keep = Infinity, open = () => {}, cleared = () => {} } = {}) {
    this.root = root;
    this.keep = keep;
    this.open = open;
    this.cleared = cleared;
    this.list = /** @type {HTMLElement} */ (root.querySelector("[data-list]"));
    this.isSession = this.list.classList.contains("frame-list-session");
    this.follower = new Follower(this.list, root.querySelector("[data-jump]"));
    this.list.addEventListener("click", ({ target }) =>
      this.#choose(/** @type {Element} */ (target).closest("li")),
    );
    this.list.addEventListener("scroll", () => this.#stands && this.follower.isFollowing && this.write());
    this.list.addEventListener("keydown", (event) => this.#keys(event));
    for (const field of this.#fields()) field.addEventListener("input", () => this.#renew());
    this.#on("[data-pause]", () => this.#pause());
    this.#on("[data-clear]", () => this.clear());
  }

  get all() {
    return this.#all;
  }

  add(frame) {
    this.#all.push({ ...light(frame), missed: this.#hole });
    this.#hole = 0;
    this.#total += 1;
    if (this.#pausedAt !== null) this.#missed += 1;
    this.#soon();
  }

  /** So many before the next frame will never come. */
  miss(count) {
    this.#hole += count;
    this.#lost += count;
    this.#soon();
  }

  clear() {
    this.#all = [];
    this.#total = this.#missed = this.#lost = this.#hole = 0;
    if (this.#pausedAt !== null) this.#pausedAt = 0;
    this.#current = null;
    this.cleared();
    this.#renew();
  }

  /** Show only the first `count` frames; null: all of them, as they come. */
  showUntil(count) {
    this.#until = count;
    this.write();
  }

  /** The frame it answers, or the first that answers it; null when that is not known or no longer held. */
  pairOf(frame) {
    const isPair =
      frame.pair == null ? ({ pair }) => pair === frame.number : ({ number }) => number === frame.pair;
    return this.#all.find(isPair) ?? null;
  }

  /** Choose a frame, as a click on it does. */
  choose(frame) {
    this.mark(frame)?.scrollIntoView({ block: "nearest" });
    this.open(frame);
  }

  /** Mark a frame as the chosen one, if it is in the list; null: none.
   *
   * @param {any} frame
   */
  mark(frame) {
    this.#current = frame?.number ?? null;
    const item = this.#itemOf(this.#current);
    this.list.querySelector("[aria-current]")?.removeAttribute("aria-current");
    item?.lastElementChild?.setAttribute("aria-current", "true");
    return item;
  }

  #soon() {
    this.#timer ??= setTimeout(() => this.write(), Math.max(WRITE_MS, this.#restMs));
  }

  write() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const began = performance.now();
    this.#trim();
    this.#append();
    this.#tell();
    this.#restMs = Math.min(MOST_REST_MS, REST * (performance.now() - began));
  }

  /** While paused what is shown stays, and as many that came since. */
  #trim() {
    const from = this.#pausedAt ?? 0;
    const surplus = this.#all.length - from - this.keep;
    if (surplus <= 0) return;
    this.#all.splice(from, surplus);
    if (this.#pausedAt === null) this.#read = Math.max(0, this.#read - surplus);
  }

  /** How many of what is kept may be shown. */
  get #end() {
    return this.#until ?? this.#pausedAt ?? this.#all.length;
  }

  #append() {
    const end = this.#end;
    const isFollowing = this.follower.isFollowing;
    if (end < this.#read || (this.#stands && isFollowing)) {
      this.#read = 0;
      this.list.replaceChildren();
    }
    const fresh = this.#newest(this.#read, end);
    const surplus = this.list.childElementCount + fresh.length - MOST;
    this.#stands = !isFollowing && this.#until === null && fresh.length > 0 && surplus > 0;
    if (!this.#stands) this.#read = end;
    if (!this.#stands && fresh.length) this.#put(fresh, surplus);
    if (fresh.length) this.follower.grown();
  }

  #put(fresh, surplus) {
    this.#drop(surplus);
    const items = document.createDocumentFragment();
    items.append(...fresh.map((frame) => this.#item(frame)));
    this.list.append(items);
  }

  /** Take the oldest lines away, all at once: one by one costs a second for a few hundred. */
  #drop(surplus) {
    if (surplus <= 0) return;
    const oldest = document.createRange();
    oldest.setStart(this.list, 0);
    oldest.setEnd(this.list, Math.min(surplus, this.list.childNodes.length));
    oldest.deleteContents();
  }

  /** The newest matching frames between two places, as many as fit. */
  #newest(from, to) {
    const matches = this.#filter();
    const found = [];
    for (let at = to - 1; at >= from && found.length < MOST; at -= 1) {
      if (matches(this.#all[at])) found.push(this.#all[at]);
    }
    return found.reverse();
  }

  /** @returns {NodeListOf<HTMLInputElement>} */
  #fields() {
    return this.root.querySelectorAll("[data-direction], [data-kind], [data-find]");
  }

  #value(name) {
    /** @type {HTMLInputElement | null} */
    const field = this.root.querySelector(`[data-${name}]`);
    return field?.value ?? "";
  }

  #filter() {
    const [direction, kind] = [this.#value("direction"), this.#value("kind")];
    const words = this.#value("find").trim().toLowerCase();
    return (frame) =>
      (!direction || frame.direction === direction) &&
      (!kind || frame.kind === kind) &&
      (!words || `${frame.line}\n${frame.data ?? ""}`.toLowerCase().includes(words));
  }

  #renew() {
    this.#read = 0;
    this.list.replaceChildren();
    this.#append();
    this.#tell();
  }

  #pause() {
    this.write();
    this.#pausedAt = this.#pausedAt === null ? this.#all.length : null;
    this.#missed = 0;
    if (this.#pausedAt === null) this.#renew();
    this.write();
  }

  #tell() {
    const filtered = [...this.#fields()].some((field) => field.value.trim());
    const shown = this.list.childElementCount;
    const held = this.#end;
    const note = /** @type {HTMLElement} */ (this.root.querySelector("[data-note]"));
    const parts = [
      filtered
        ? `${number(shown)} of ${number(held)} match.${held < this.#total && this.#until === null ? ` ${this.#rest("Older ones are in the record.")}` : ""}`
        : "",
      !filtered && this.#until === null && this.#total > MOST
        ? `${this.#words(Math.min(MOST, held))} of ${number(this.#total)}. ${this.#rest("The record has all of them.")}`
        : "",
      this.#lost ? notShown(this.#lost) : "",
    ];
    note.textContent = parts.filter(Boolean).join(" ");
    note.hidden = !note.textContent;
    const none = this.root.querySelector("[data-none]");
    if (none) none.hidden = shown > 0 || filtered;
    this.#tellPause();
  }

  /** Where to read what is not in the list. */
  #rest(usual) {
    if (this.recordEnd === null) return usual;
    return this.recordEnd ? `The record has those up to #${this.recordEnd}.` : "The record has none of them.";
  }

  #words(count) {
    const shown = number(this.list.childElementCount);
    return this.#stands
      ? `The list stands still while you read further back: ${shown}`
      : `The newest ${number(count)}`;
  }

  #tellPause() {
    const button = this.root.querySelector("[data-pause]");
    if (!button) return;
    const isPaused = this.#pausedAt !== null;
    button.setAttribute("aria-pressed", String(isPaused));
    const words = /** @type {HTMLElement} */ (button.querySelector("[data-word]"));
    words.textContent = !isPaused ? "Pause" : this.#missed ? `Resume (+${number(this.#missed)})` : "Resume";
  }

  #item(frame) {
    const item = document.createElement("li");
    const button = document.createElement("button");
    button.type = "button";
    button.tabIndex = -1; // the list is one stop; arrows move in it
    button.className = `frame${frame.tone ? ` frame-is-${frame.tone}` : ""}`;
    if (frame.number === this.#current) button.setAttribute("aria-current", "true");
    const cellsOf = this.isSession ? cellsOfMessage : cellsOfEvent;
    button.append(...cellsOf(frame, this.#offset(frame)));
    if (frame.missed) item.append(hole(frame.missed));
    item.append(button);
    this.#frames.set(item, frame);
    return item;
  }

  /** Since the beginning; the time of day on hover. */
  #offset({ offset_ms: offset }) {
    const moment = momentOf(this.root, offset);
    if (!moment) return cell("offset", offsetOf(offset));
    const element = timeElement(moment, "title", offsetOf(offset));
    element.className = "frame-offset";
    return element;
  }

  #itemOf(wanted) {
    return [...this.list.children].find((item) => this.#frames.get(item).number === wanted);
  }

  #choose(item) {
    if (!item) return;
    const frame = this.#frames.get(item);
    this.mark(frame);
    this.open(frame);
  }

  #keys(event) {
    const step = STEPS[event.key];
    const items = [...this.list.children];
    if (step === undefined || !items.length) return;
    event.preventDefault();
    const here = items.findIndex((item) => item.lastElementChild?.hasAttribute("aria-current"));
    const wanted = here < 0 ? (step > 0 ? 0 : items.length - 1) : here + step;
    const next = items[Math.min(items.length - 1, Math.max(0, wanted))];
    /** @type {HTMLElement} */ (next.lastElementChild).focus();
    this.#choose(next);
  }

  #on(selector, act) {
    this.root.querySelector(selector)?.addEventListener("click", act);
  }
}
