// Many stream events -> one picture of the output so far. Pure.
//
// Models send text in three ways: the whole text so far ("cumulative"), the next piece ("delta"), or choices as
// OpenAI's API does. Nothing in an event says which; the first two texts tell.

import { parsed, plain } from "../lib/jsontext.js";
import { picturesIn } from "../lib/media.js";
import { hasFailed, isSentinel } from "../record/streamend.js";

const TEXT_KEYS = ["output", "text", "content", "response", "generated_text", "message", "result"];
const LONG = 40; // characters that no piece repeats by chance
const DELTA_KEYS = ["delta", "token", "chunk"];

/** {text, isDelta} or null: what an event adds; isDelta null when the event does not tell. */
export function textOf(value) {
  if (typeof value === "string") return { text: value, isDelta: null };
  if (value === null || typeof value !== "object") return null;
  if (Array.isArray(value.choices)) return choiceText(value.choices[0]);
  const delta = DELTA_KEYS.find((key) => typeof value[key] === "string");
  if (delta) return { text: value[delta], isDelta: true };
  if (typeof value.delta?.content === "string") return { text: value.delta.content, isDelta: true };
  const key = TEXT_KEYS.find((name) => typeof value[name] === "string" && !value[name].startsWith("data:image/"));
  return key ? { text: value[key], isDelta: null } : null;
}

function choiceText(choice) {
  if (typeof choice?.delta?.content === "string") return { text: choice.delta.content, isDelta: true };
  if (typeof choice?.message?.content === "string") return { text: choice.message.content, isDelta: false };
  if (typeof choice?.text === "string") return { text: choice.text, isDelta: true };
  return null;
}

/** Collects frames in order. `mode`: auto, cumulative or delta (what a person chose); `sources`: see media.js. */
export class Merged {
  #past = []; // texts that were replaced by another one, and did not just grow
  #marks = []; // after each frame: which text it was (the index in #past), how long, whose pictures, whose value
  #chosen; // a person decided
  #decided = null; // "cumulative" or "delta", once the texts have told
  text = "";
  images = [];
  last = undefined; // the text of the newest event

  constructor(mode = "auto", sources = []) {
    this.#chosen = mode !== "auto";
    if (this.#chosen) this.#decided = mode;
    this.sources = sources;
  }

  /** "cumulative", "delta", or null while unknown. */
  get way() {
    return this.#decided;
  }

  /** Take the text of one event, and its name. A failure in mid-stream is no part of the output. */
  add(data, name = "") {
    if (isSentinel(data)) {
      this.skip();
      return;
    }
    const node = parsed(data);
    let value = node ? plain(node) : data; // plain text is an output too
    // Words that happen to be JSON (12, true) are words, when they come alone.
    if (typeof value === "number" || typeof value === "boolean") value = data;
    this.last = data;
    const images = picturesIn(value, this.sources);
    if (images.length) this.images = images;
    const found = hasFailed(value, name) ? null : textOf(value);
    if (found) this.#grow(found);
    this.#mark(images.length > 0, true);
  }

  /** An event that cannot be had, or is no output: nothing changes by it. */
  skip() {
    this.#mark(false, false);
  }

  get count() {
    return this.#marks.length;
  }

  /** After the first `count` events: the text, and the indexes of those whose pictures and value were shown (-1: none). */
  at(count) {
    const mark = this.#marks[Math.min(count, this.count) - 1];
    if (!mark) return { text: "", pictures: -1, value: -1 };
    const [era, length, pictures, value] = mark;
    return { text: (this.#past[era] ?? this.text).slice(0, length), pictures, value };
  }

  #mark(hasPictures, hasValue) {
    const [, , pictures, value] = this.#marks.at(-1) ?? [0, 0, -1, -1];
    const here = this.count;
    this.#marks.push([this.#past.length, this.text.length, hasPictures ? here : pictures, hasValue ? here : value]);
  }

  #grow({ text, isDelta }) {
    this.#decide(text, isDelta);
    const isWhole = this.#decided === "cumulative" || this.#isWhole(text, isDelta);
    if (isWhole && !text.startsWith(this.text)) this.#past.push(this.text);
    this.text = isWhole ? text : this.text + text;
  }

  /** Some models send pieces and, at the end, everything once more. */
  #isWhole(text, isDelta) {
    return isDelta === null && !this.#chosen && this.text.length > LONG && text.startsWith(this.text);
  }

  /** The second text tells: it begins with the first, or it does not. */
  #decide(text, isDelta) {
    if (this.#decided) return;
    if (isDelta !== null) this.#decided = isDelta ? "delta" : "cumulative";
    else if (this.text && text) this.#decided = text.startsWith(this.text) ? "cumulative" : "delta";
  }
}
