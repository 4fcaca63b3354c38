// How the texts of a stream's events make one text. Pure.
//
// Models send the whole text so far ("cumulative") or the next piece ("delta"), and most events do not say which.
// Texts of which each begins with the one before it form a chain: so a text grows, or so a few short pieces look by
// chance ("1", "10"; "ha", "ha"). The first text that does not fit refutes a short chain, whose texts are then joined;
// what cannot change any more is settled.

const LONG = 40; // characters that no piece repeats by chance
const SURE = { growths: 3, characters: 8 }; // nor as few as these so often
const HALF = 0.5; // of a long text that a corrected one must share
const ODD_END = /[\uFFFD\uD800-\uDBFF\u2026\u258A-\u258F\u2588]+$/; // half a character, or the sign of a caret

export class Growth {
  #mode;
  #settled = "";
  /** @type {Chain | null} */
  #chain = null;
  #pieces = 0; // that have been settled
  #first = null; // of all pieces
  #isVaried = false; // not every piece is the same

  constructor(mode = "auto") {
    this.#mode = mode;
  }

  /** "cumulative", "delta", or null while unknown. */
  get way() {
    if (this.#mode !== "auto") return this.#mode;
    if (this.#chain?.isSure) return "cumulative";
    if (this.#pieces) return "delta";
    return !this.#chain || this.#chain.count < 2 ? null : this.#chain.seemsWhole ? "cumulative" : "delta";
  }

  /** The text after one more of an event; `isDelta` null: the event does not tell. */
  add({ text, isDelta = null, isPartial }) {
    if (this.#mode === "cumulative" || (this.#mode === "auto" && isDelta === false)) this.#replace(text);
    else if (this.#mode === "delta" || isDelta) this.#append(text);
    else this.#guess(text, isPartial);
    return this.#settled + (this.#chain ? this.#shown(this.#chain) : "");
  }

  /** Once pieces are known to come, only a sure chain is a text that grows. */
  #shown(chain) {
    return chain.isSure || (!this.#pieces && chain.seemsWhole) ? chain.last : chain.joined;
  }

  #replace(text) {
    this.#settled = "";
    const chain = new Chain(text);
    chain.isSure = true;
    this.#chain = chain;
  }

  #append(text) {
    this.#settle();
    this.#settled += text;
    this.#pieces += 1;
    this.#note(text);
  }

  #guess(text, isPartial) {
    if (this.#repeatsAll(text)) {
      this.#settled = text;
      this.#chain = null;
    } else if (!this.#chain?.take(text, isPartial)) {
      this.#settle(text);
      this.#chain = new Chain(text, isPartial);
    }
    this.#note(text);
  }

  #note(text) {
    this.#first ??= text;
    this.#isVaried ||= text !== this.#first;
  }

  /** Some models send pieces and, at the end, everything once more. */
  #repeatsAll(text) {
    if (this.#chain?.isSure) return false;
    const pieces = this.#settled + (this.#chain?.joined ?? "");
    if (this.#pieces + (this.#chain?.count ?? 0) < 2 || !text.startsWith(pieces)) return false;
    return pieces.length > LONG ? this.#pieces > 0 || this.#isVaried : text === pieces && this.#isVaried;
  }

  /** The chain ends: a sure one was a text that grew, any other one pieces. `next` is what follows. */
  #settle(next = "") {
    const chain = this.#chain;
    if (!chain) return;
    this.#settled += chain.isSure ? chain.last + seam(chain.last, next) : chain.joined;
    this.#pieces += chain.count;
    this.#chain = null;
  }
}

/** Two texts, each a whole, are two paragraphs. */
const seam = (before, after) => (!after || /\s$/.test(before) || /^\s/.test(after) ? "" : "\n\n");

class Chain {
  last;
  count = 1;
  joined; // while it may have been pieces
  #growths = 0;
  #repeats = 0;
  #longest = 0; // characters of a text that the next one began with
  #isPartial;
  isSure = false;

  constructor(text, isPartial) {
    this.last = this.joined = text;
    this.#isPartial = isPartial;
  }

  /** Whether it looks like a text that grows. */
  get seemsWhole() {
    if (this.isSure || this.#growths > this.#repeats) return true;
    return this.#growths === 0 && this.last.length > LONG;
  }

  /** Whether the text fits behind the last one, and is taken. */
  take(text, isPartial) {
    if (text === this.last) this.#repeat(isPartial);
    else if (beginsWith(text, this.last)) this.#grow();
    else if (!this.isSure || !isCorrected(this.last, text)) return false;
    this.last = text;
    this.#isPartial = isPartial;
    this.count += 1;
    this.joined = this.isSure ? "" : this.joined + text;
    return true;
  }

  /** The same once more: the whole that was partial until now, or a piece that came twice. */
  #repeat(isPartial) {
    if (this.#isPartial === true && isPartial !== true) this.#growths += 1;
    else this.#repeats += 1;
  }

  #grow() {
    this.#growths += 1;
    this.#longest = Math.max(this.#longest, this.last.length);
    const isOften = this.#growths >= SURE.growths && this.#growths > this.#repeats;
    this.isSure ||= this.#longest > LONG || (isOften && this.#longest >= SURE.characters);
  }
}

/** Also when the beginning ended in half a character, or an accent came to its last letter. */
function beginsWith(text, beginning) {
  if (text.startsWith(beginning)) return true;
  const whole = beginning.replace(ODD_END, "");
  if (whole && whole !== beginning && text.startsWith(whole)) return true;
  return text[0] === beginning[0] && text.normalize("NFD").startsWith(beginning.normalize("NFD"));
}

/** A long text whose end was written anew. */
function isCorrected(before, after) {
  const most = Math.min(before.length, after.length);
  let shared = 0;
  while (shared < most && before[shared] === after[shared]) shared += 1;
  return shared >= LONG * HALF && shared >= before.length * HALF;
}
