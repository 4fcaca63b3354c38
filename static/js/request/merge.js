// Many stream events -> one picture of the output so far. Pure.
//
// What an event is (an output, an error, a note, nothing) is the server's judgement, which comes with each event.

import { parsed, plain } from "../lib/jsontext.js";
import { picturesIn } from "../lib/media.js";
import { Growth } from "./growth.js";

const TEXT_KEYS = ["output", "text", "content", "response", "generated_text", "message", "result"];
const DELTA_KEYS = ["delta", "token", "chunk"];

/** {text, isDelta, isPartial} or null: what an event adds; isDelta null when the event does not tell. */
function textOf(value) {
  if (typeof value === "string") return isWords(value) ? { text: value, isDelta: null } : null;
  if (value === null || typeof value !== "object") return null;
  if (Array.isArray(value.choices)) return choiceText(value.choices[0]);
  if (typeof value.token?.text === "string") return tokenText(value);
  const delta = DELTA_KEYS.find((key) => typeof value[key] === "string");
  if (delta) return { text: value[delta], isDelta: true };
  const inner = [value.delta?.content, value.delta?.text].find((text) => typeof text === "string");
  if (inner !== undefined) return { text: inner, isDelta: true };
  const texts = TEXT_KEYS.map((key) => value[key]).filter(isWords);
  return texts.length ? { text: texts.find(Boolean) ?? "", isDelta: null, isPartial: value.partial } : null;
}

const isWords = (text) => typeof text === "string" && !text.startsWith("data:image/");

/** One token; the last one brings the whole text along. */
function tokenText({ token, generated_text: whole }) {
  return typeof whole === "string" && whole
    ? { text: whole, isDelta: false }
    : { text: token.text, isDelta: true };
}

function choiceText(choice) {
  if (typeof choice?.delta?.content === "string") return { text: choice.delta.content, isDelta: true };
  if (typeof choice?.message?.content === "string") return { text: choice.message.content, isDelta: false };
  if (typeof choice?.text === "string") return { text: choice.text, isDelta: true };
  return null;
}

/** Collects frames in order. `mode`: auto, cumulative or delta (what the user chose); `sources`: see media.js. */
export class Merged {
  #growth;
  #past = []; // texts that were replaced by another one, and did not just grow
  #marks = []; // after each frame: which text it was (the index in #past), how long, whose pictures, whose value
  #hasOutput = false;
  text = "";
  images = [];
  last = undefined; // the text of the newest event with an output; with a note while there is none

  constructor(mode = "auto", sources = []) {
    this.#growth = new Growth(mode);
    this.sources = sources;
  }

  /** "cumulative", "delta", or null while unknown. */
  get way() {
    return this.#growth.way;
  }

  /** Take the text of one event, and what it says. Only an output is a part of the output. */
  add(data, says = "output") {
    const isNote = says === "note" && !this.#hasOutput;
    if (says && says !== "output" && !isNote) {
      this.skip();
      return;
    }
    this.#hasOutput ||= !isNote;
    const value = valueOf(data);
    this.last = data;
    const images = picturesIn(value, this.sources);
    if (images.length) this.images = images;
    const found = isNote ? null : textOf(value);
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
    this.#marks.push([
      this.#past.length,
      this.text.length,
      hasPictures ? here : pictures,
      hasValue ? here : value,
    ]);
  }

  #grow(found) {
    const text = this.#growth.add(found);
    if (!text.startsWith(this.text)) this.#past.push(this.text);
    this.text = text;
  }
}

/** Words that happen to be JSON (12, true) are words, when they come alone. */
function valueOf(data) {
  const node = parsed(data);
  const value = node ? plain(node) : data; // plain text is an output too
  return typeof value === "number" || typeof value === "boolean" ? data : value;
}
