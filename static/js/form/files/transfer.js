// One file of one field: judged, measured, then uploaded or written as a data URI. It knows no elements; what it comes
// to is told by `changed`.

import { HEAD_BYTES, wrongType } from "./kinds.js";
import { remember } from "./known.js";
import { broken, brokenTogether, changed as changedByEndpoint } from "./limits.js";
import { headOf, measure } from "./measure.js";
import { Upload } from "./upload.js";
import { bytes } from "./words.js";

const MAX_INLINE = 256 * 1024; // bytes: a draft of the form still keeps it

export class Transfer {
  phase = "reading"; // then "refused", "sending", "failed", "cancelled" or "done"
  sentence = "";
  value = ""; // the address, when it is done
  facts = /** @type {import("./words.js").Facts} */ ({});
  /** @type {Upload | null} */
  upload = null;
  #changed;
  #rules;

  /**
   * @param {{kind: string, limits: any, most: number, url: string, isInline: boolean,
   *   together: {limits: any, others: any[]}}} rules of the field
   */
  constructor(file, rules, changed) {
    this.file = file;
    this.#rules = rules;
    this.#changed = changed;
  }

  get isOpen() {
    return this.phase === "reading" || this.phase === "sending";
  }

  async run() {
    const problem = await this.#judge();
    if (this.phase === "cancelled") return;
    if (problem) return this.#say("refused", problem);
    if (this.#rules.isInline) return this.#inline();
    const upload = new Upload(this.file, this.#rules.url, () => this.#follow(upload));
    this.upload = upload;
    return upload.run();
  }

  cancel() {
    if (this.upload) this.upload.cancel();
    else this.#say("cancelled");
  }

  retry() {
    return this.upload ? this.upload.retry() : this.run();
  }

  /** Why the file is not sent; nothing has left this machine yet. */
  async #judge() {
    const { kind, limits, most, isInline, together } = this.#rules;
    const { file } = this;
    if (!file.size) return `“${file.name}” is empty.`;
    if (isInline && file.size > MAX_INLINE)
      return `“${file.name}” has ${bytes(file.size)}; a data URI is for up to ${bytes(MAX_INLINE)}. Upload it.`;
    if (file.size > most)
      return `“${file.name}” has ${bytes(file.size)}; this site sends up to ${bytes(most)}.`;
    const early =
      wrongType(kind, file, await this.#head()) || named(file, broken(limits, { size: file.size }));
    if (early) return early;
    this.facts = await measure(file);
    this.sentence = changedByEndpoint(limits.normalization ?? {}, this.facts);
    return (
      named(file, broken(limits, this.facts)) ||
      brokenTogether(together.limits, [...together.others, this.facts])
    );
  }

  async #head() {
    try {
      return await headOf(this.file);
    } catch {
      return new Uint8Array(HEAD_BYTES); // a folder, or a file that is gone: sending it fails too
    }
  }

  #inline() {
    const reader = new FileReader();
    reader.addEventListener("error", () => this.#say("failed", "The file could not be read."));
    reader.addEventListener("load", () => this.#finish(String(reader.result)));
    reader.readAsDataURL(this.file);
  }

  #follow({ state, sentence, fileUrl }) {
    if (state === "done") this.#finish(fileUrl);
    else if (state === "failed" || state === "cancelled") this.#say(state, sentence);
    else this.#say("sending", this.sentence);
  }

  #finish(value) {
    this.value = value;
    if (!this.#rules.isInline) remember(value, this.facts);
    this.#say("done", this.sentence);
  }

  #say(phase, sentence = "") {
    this.phase = phase;
    this.sentence = sentence;
    this.#changed(this);
  }
}

const named = (file, problem) => problem && `“${file.name}” does not fit. ${problem}`;
