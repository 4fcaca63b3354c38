// The draft of one session's tab: its message and how to connect, kept while typing, gone when the message was sent.

import { Draft } from "../lib/drafts.js";
import { isSame, putValues, valuesOf } from "../lib/fields.js";

const PAUSE_MS = 300;

export class SessionDraft {
  #panel;
  #notice;
  #composer;
  #changed;
  #draft;
  #clean; // the values that need no keeping
  /** @type {number | undefined} */
  #timer;
  #isKept = true;

  constructor(panel, { origin, composer, changed }) {
    this.#panel = panel;
    this.#notice = panel.querySelector("[data-draft]");
    this.#composer = composer;
    this.#changed = changed;
    this.#draft = new Draft("realtime", { origin });
    this.#clean = this.#values();
    panel.addEventListener("input", () => this.#later());
    composer.onSent(() => this.#sent());
    this.#notice.querySelector("[data-discard]").addEventListener("click", () => this.#discarded());
    window.addEventListener("pagehide", () => this.#keep());
    document.addEventListener("visibilitychange", () => document.hidden && this.#keep());
  }

  /** Something was typed and nothing keeps it. */
  get isLost() {
    this.#keep();
    return this.#isTyped && !this.#isKept;
  }

  restore(record) {
    if (!record || isSame(record.fields, this.#values())) return;
    this.#draft.take(record);
    putValues(this.#panel, record.fields);
    this.#notice.hidden = false;
    this.#composer.judge();
    this.#changed();
  }

  /** The tab was closed. */
  discard() {
    clearTimeout(this.#timer);
    this.#draft.done();
    this.#clean = this.#values();
    this.#notice.hidden = true;
  }

  get #isTyped() {
    return !isSame(this.#values(), this.#clean);
  }

  /** The name for a message that the team is to keep is no part of it. */
  #values() {
    const { name: _, ...values } = valuesOf(this.#panel);
    return values;
  }

  #discarded() {
    const clean = this.#clean;
    this.discard();
    putValues(this.#panel, clean);
    this.#clean = this.#values();
    this.#composer.judge();
    this.#changed();
  }

  #sent() {
    if (this.#isTyped || !this.#notice.hidden) this.discard();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), PAUSE_MS);
  }

  #keep() {
    clearTimeout(this.#timer);
    if (!this.#panel.isConnected || !this.#isTyped) return;
    const values = this.#values();
    this.#isKept = this.#draft.keep(values.endpoint_id.trim(), values);
  }
}
