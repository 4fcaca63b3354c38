// The draft of the new-request form: kept while typing, restored with "Draft restored · Discard", gone when it was sent.
//
// A submit whose answer never came keeps its idempotency key in the draft: sent again, it is the same request.

import { Draft, found } from "../lib/drafts.js";
import { isSame, putValues, valuesOf } from "../lib/fields.js";
import { onOwnRequest } from "../lib/ownrequests.js";

const PAUSE_MS = 300;

const token = () => /** @type {HTMLInputElement} */ (document.getElementById("form-token")); // each answer brings another element

export class FormDraft {
  #form;
  #notice = /** @type {HTMLElement} */ (document.getElementById("draft-restored"));
  #origin;
  #draft;
  #untyped; // says whether an input is an example or nothing
  #changed; // called after fields were filled by us
  #clean; // the values that need no keeping
  /** @type {number | undefined} */
  #timer;
  #isKept = true;
  /** @type {string | null} the page's key, while an earlier one stands in its place */
  #ownToken = null;
  /** @type {string | null} the key of a submit that has left and is not answered */
  #attempt = null;

  constructor(form, { isUntyped, changed }) {
    this.#form = form;
    this.#untyped = isUntyped;
    this.#changed = changed;
    // A page that comes with an input of its own has a draft of its own.
    this.#origin = form.elements.again_of.value || form.dataset.preset || "";
    this.#draft = new Draft("form", { origin: this.#origin });
    this.#clean = valuesOf(form, { initial: true });
    form.addEventListener("input", () => this.#later());
    form.addEventListener(
      "change",
      ({ target }) => target.name === "endpoint_id" && this.#offer(target.value.trim()),
    );
    onOwnRequest(form, "htmx:beforeRequest", () => this.#leaves());
    onOwnRequest(form, "htmx:afterRequest", (detail) => this.#answered(detail));
    this.#notice.querySelector("[data-discard]")?.addEventListener("click", () => this.#discard());
    window.addEventListener("pagehide", () => this.#keep());
    document.addEventListener("visibilitychange", () => document.hidden && this.#keep());
    window.addEventListener("beforeunload", (event) => this.#warn(event));
    // What was just pasted is wanted now, not an older draft.
    if (!("pasted" in form.dataset)) this.#offer(this.#clean.endpoint_id.trim());
  }

  /** Whether something was typed that would be missed. */
  get #isTyped() {
    const now = valuesOf(this.#form);
    const { endpoint_id: _, input, ...rest } = now;
    const { endpoint_id: __, input: cleanInput, ...cleanRest } = this.#clean;
    return (
      (input !== cleanInput && !this.#untyped(input)) || !isSame(rest, { ...cleanRest, mode: rest.mode })
    );
  }

  /** Restore the newest draft that fits, unless something else was typed meanwhile. */
  #offer(endpoint) {
    if (this.#isTyped) return;
    const [record] = found("form", { origin: this.#origin, endpoint: this.#origin ? "" : endpoint });
    if (!record || isSame(record.fields, valuesOf(this.#form))) return;
    this.#draft.take(record);
    putValues(this.#form, record.fields);
    if (record.token) {
      this.#ownToken = token().value;
      token().value = this.#attempt = record.token;
    }
    this.#notice.hidden = false;
    this.#changed();
  }

  #discard() {
    this.#forget();
    putValues(this.#form, this.#clean);
    if (this.#ownToken) token().value = this.#ownToken;
    this.#ownToken = null;
    this.#changed();
    this.#form.elements.input.focus();
  }

  #forget() {
    clearTimeout(this.#timer);
    this.#draft.done();
    this.#draft = new Draft("form", { origin: this.#origin });
    this.#attempt = null;
    this.#isKept = true;
    this.#notice.hidden = true;
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#keep(), PAUSE_MS);
  }

  #keep() {
    clearTimeout(this.#timer);
    if (!this.#isTyped) return;
    const values = valuesOf(this.#form);
    this.#isKept = this.#draft.keep(values.endpoint_id.trim(), values, this.#attempt);
  }

  #warn(event) {
    this.#keep();
    if (this.#isTyped && !this.#isKept) event.preventDefault();
  }

  #leaves() {
    this.#attempt = token().value;
    this.#keep();
  }

  /** 200: made. 422: refused, with a new key. Anything else leaves it open what became of it. */
  #answered({ xhr, successful }) {
    if (successful || xhr.status === 422) this.#ownToken = null;
    if (successful) {
      this.#clean = valuesOf(this.#form);
      this.#forget();
    } else if (xhr.status === 422) {
      this.#attempt = null;
      this.#keep();
    }
  }
}
