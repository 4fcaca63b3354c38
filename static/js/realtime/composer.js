// The message of a session: typed as JSON, checked while typing, with files, sent once or at an interval.
//
// A file stands in the text as {"$file": "name"} and becomes {"$bytes": "<base64>"} when it is sent.

import { plainOf, problemOf } from "../lib/jsontext.js";
import { sizeOf } from "../record/frametext.js";

const PAUSE_MS = 150;
const MOST_BYTES = 16 * 1024 * 1024; // of a message, fal's limit
const MOST_WAITING = 1024 * 1024; // bytes: an interval passes a turn while so much has not left
const SHORTEST_MS = 10;
const LONGEST_MS = 3_600_000;
const LEFT_OUT = /\{\s*"\$bytes_size"\s*:/; // how a frame shows bytes that are too many for a text
const FILE = /\{\s*"\$file"\s*:\s*("(?:[^"\\]|\\.)*")\s*\}/g;

export class Composer {
  #root;
  #session;
  #text;
  #files = new Map(); // name -> base64
  /** @type {number | undefined} */
  #timer;
  /** @type {number | undefined} */
  #interval;
  #turns = 0;
  #passed = 0;
  #sent = () => {};

  constructor(root, session) {
    this.#root = root;
    this.#session = session;
    this.#text = root.querySelector("[name=text]");
    this.#text.addEventListener("input", () => this.#later());
    root.addEventListener("submit", (event) => {
      event.preventDefault();
      this.sendOnce();
    });
    root.addEventListener("keydown", (event) => this.#keys(event));
    this.#part("file").addEventListener("change", ({ target }) => this.#attach(target));
    this.#part("as").addEventListener("change", () => this.#judge());
    this.#part("repeat").addEventListener("click", () => (this.#interval ? this.stop() : this.#start()));
    this.#part("every").addEventListener("change", () => this.#interval && this.#start());
    session.on("state", () => this.#enable());
    this.#enable();
    this.#judge();
  }

  get text() {
    return this.#text.value;
  }

  /** Put a message in, by the way that keeps undo; `as` is the form it had. */
  /** @param {string | null} [as] */
  write(text, as = null) {
    if (as) this.#part("as").value = as;
    this.#text.focus();
    this.#text.select();
    document.execCommand("insertText", false, text);
    this.#judge();
  }

  sendOnce() {
    const text = this.#ready();
    if (text === null) this.#text.focus();
    else if (this.#session.send(text, this.#part("as").value)) this.#sent();
  }

  /** Call `act` when a message has been sent: it is in the record then. */
  onSent(act) {
    this.#sent = act;
  }

  /** Validate again after other code has set the text. */
  judge() {
    this.#judge();
  }

  stop(why = "") {
    if (why) this.#tell(`${this.#turns} sent, then stopped: ${why}`, true);
    clearInterval(this.#interval);
    this.#interval = undefined;
    this.#part("repeat-word").textContent = "Repeat";
    this.#part("repeat").setAttribute("aria-pressed", "false");
  }

  #start() {
    this.stop();
    const every = this.#every();
    if (every === null || this.#ready() === null) return;
    this.#turns = this.#passed = 0;
    this.#turn();
    this.#interval = setInterval(() => this.#turn(), every);
    this.#part("repeat-word").textContent = "Stop";
    this.#part("repeat").setAttribute("aria-pressed", "true");
  }

  /** The interval in ms; null when it is none. An empty one must not be a hundred messages a second, which cost. */
  #every() {
    const field = this.#part("every");
    const every = Number(field.value);
    const isGood = Number.isInteger(every) && every >= SHORTEST_MS && every <= LONGEST_MS;
    field.removeAttribute("aria-invalid");
    if (isGood) return every;
    field.setAttribute("aria-invalid", "true");
    field.focus();
    this.#tell(`Give a whole number of ms from ${SHORTEST_MS} to ${LONGEST_MS.toLocaleString("en")}.`, true);
    return null;
  }

  #turn() {
    const text = this.#ready();
    if (this.#session.state !== "open" || text === null) {
      this.stop(text === null ? "the message cannot be sent" : "");
      return;
    }
    if (this.#session.waiting > MOST_WAITING) this.#passed += 1;
    else if (this.#session.send(text, this.#part("as").value)) {
      this.#turns += 1;
      this.#sent();
    }
    const passed = this.#passed ? `, ${this.#passed} passed over: the line is full` : "";
    this.#tell(`${this.#turns} sent${passed}`);
  }

  #tell(words, isWrong = false) {
    this.#part("turns").textContent = words;
    this.#part("turns").classList.toggle("json-wrong", isWrong);
  }

  #keys(event) {
    if (event.key !== "Enter") return;
    if (event.target === this.#part("every")) event.preventDefault(); // it sends nothing
    if (!(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.sendOnce();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#judge(), PAUSE_MS);
  }

  /** The text to send; null when something is wrong with it, which is then shown. */
  #ready() {
    const problem = this.#judge();
    if (problem) return null;
    // A replacement function: "$" in base64 or names has no meaning of its own.
    const whole = this.#text.value.replace(
      FILE,
      (_, name) => `{"$bytes":"${this.#files.get(plainOf(name))}"}`,
    );
    return whole;
  }

  #judge() {
    const problem = this.#problem();
    const state = this.#part("json-state");
    state.textContent = problem || "valid JSON";
    state.classList.toggle("json-wrong", Boolean(problem));
    if (problem) this.#text.setAttribute("aria-invalid", "true");
    else this.#text.removeAttribute("aria-invalid");
    return problem;
  }

  #problem() {
    const text = this.#text.value;
    if (!text.trim()) return "empty";
    const problem = problemOf(text, { anyType: true });
    if (problem) return `${problem.message}: line ${problem.line}, column ${problem.column}`;
    const names = [...text.matchAll(FILE)].map(([, name]) => plainOf(name));
    const missing = names.find((name) => !this.#files.has(name));
    if (missing !== undefined) return `attach ${missing} again: files are not kept`;
    if (LEFT_OUT.test(text)) return "the bytes are not in this text: attach the file again in their place";
    if (names.length && this.#part("as").value === "json") return "bytes need msgpack: JSON text has none";
    return "";
  }

  async #attach(field) {
    const [file] = field.files;
    if (!file) return;
    field.value = ""; // the same file may be chosen again
    if (file.size > MOST_BYTES) {
      this.#say(`${file.name} has ${sizeOf(file.size)}; a message takes ${sizeOf(MOST_BYTES)} at most.`);
      return;
    }
    this.#files.set(file.name, await base64Of(file));
    this.#insert(`{"$file": ${JSON.stringify(file.name)}}`, memberFor(file));
    this.#say(`${file.name}, ${sizeOf(file.size)}, attached.`);
    this.#judge();
  }

  /** At the cursor; into a member of its own when the text is an object and nothing is selected at a place. */
  #insert(words, member) {
    const text = this.#text.value;
    if (!text.trim()) {
      this.write(`{\n  "${member}": ${words}\n}`);
      return;
    }
    this.#text.focus();
    const end = text.lastIndexOf("}");
    const untouched =
      this.#text.selectionStart === this.#text.selectionEnd &&
      [0, text.length].includes(this.#text.selectionEnd);
    if (untouched && end > 0) {
      const before = text.slice(0, end).trimEnd();
      const comma = before.endsWith("{") ? "" : ",";
      this.#text.setSelectionRange(before.length, end);
      document.execCommand("insertText", false, `${comma}\n  "${member}": ${words}\n`);
    } else document.execCommand("insertText", false, words);
  }

  #say(words) {
    this.#part("file-note").textContent = words;
  }

  #enable() {
    const isOpen = this.#session.state === "open";
    if (!isOpen && this.#interval) this.stop();
    for (const name of ["send", "repeat"]) this.#part(name).disabled = !isOpen;
    this.#part("send-hint").hidden = isOpen;
  }

  #part(name) {
    return this.#root.querySelector(`[data-${name}]`);
  }
}

/** What most apps call such a file. */
function memberFor({ type }) {
  const [kind] = type.split("/");
  return ["image", "audio", "video"].includes(kind) ? kind : "file";
}

/** @returns {Promise<string>} */
function base64Of(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => {
      const url = /** @type {string} */ (reader.result);
      resolve(url.slice(url.indexOf(",") + 1));
    });
    reader.addEventListener("error", () => reject(reader.error));
    reader.readAsDataURL(file);
  });
}
