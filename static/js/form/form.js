// The new-request form: says what is wrong while it is typed, shows what will be sent, submits by Ctrl-Enter.
// The server judges; nothing here changes or blocks what was typed.

import { Code } from "../lib/code.js";
import { request } from "../lib/http.js";
import { JsonError, format, offsetOf, placeOf, problemOf } from "../lib/jsontext.js";
import { optionsOf, optionTable } from "../lib/options.js";
import { onOwnRequest } from "../lib/ownrequests.js";
import { toast } from "../lib/toasts.js";
import { FormDraft } from "./formdraft.js";
import { SchemaView } from "./schemaview.js";

const PAUSE_MS = 150;

const form = /** @type {HTMLFormElement} */ (document.getElementById("request-form"));

const byId = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

const endpoints = () => [
  .../** @type {NodeListOf<HTMLOptionElement>} */ (document.querySelectorAll("#endpoints option")),
];

class Compose {
  /** @type {any} by name, as the browser gives them; some are lists of radio buttons */
  #fields = form.elements;
  #input = /** @type {HTMLTextAreaElement} */ (document.getElementById("id_input"));
  #table = optionTable();
  #code = new Code(() => this.#request(), { ...form.dataset, table: this.#table });
  /** @type {number | undefined} */
  #timer;
  #isModeChosen = false; // by the user
  #schema = new SchemaView(this.#fields.endpoint_id);

  constructor() {
    form.addEventListener("input", () => this.#later());
    form.addEventListener(
      "change",
      ({ target }) => (this.#isModeChosen ||= /** @type {HTMLInputElement} */ (target).name === "mode"),
    );
    this.#fields.endpoint_id.addEventListener("input", () => this.#offerExample());
    document.addEventListener("keydown", (event) => this.#keys(event));
    onOwnRequest(form, "htmx:beforeRequest", () => this.#clearErrors());
    onOwnRequest(form, "htmx:afterRequest", () => this.#answered());
    document.getElementById("json-go")?.addEventListener("click", () => this.#goThere());
    document.getElementById("format-json")?.addEventListener("click", () => this.#format());
    this.#offerLarge();
    for (const part of [byId("sent"), byId("format-json"), form.querySelector(".submit-keys")])
      part?.removeAttribute("hidden");
    this.#show();
    this.#markErrors();
    new FormDraft(form, { isUntyped: (text) => this.#isUntyped(text), changed: () => this.#restored() });
  }

  /** Put another input and mode into the form; gives those that stood there. */
  put({ input, mode }) {
    const before = { input: this.#input.value, mode: this.#fields.mode.value };
    this.#input.value = input;
    this.#fields.mode.value = mode;
    this.#input.dispatchEvent(new Event("input", { bubbles: true })); // kept as the draft
    this.#restored();
    return before;
  }

  /** The draft has filled the fields, or emptied them. */
  #restored() {
    this.#isModeChosen = true;
    const options = /** @type {HTMLDetailsElement} */ (form.querySelector("details.options"));
    options.open ||= Object.keys(optionsOf(this.#fields, this.#table)).length > 0;
    this.#schema.refresh();
    this.#show();
  }

  /** Nothing, or an endpoint's example. */
  #isUntyped(text) {
    const known = endpoints();
    return ["", "{}", ...known.map((option) => option.dataset.input)].includes(text.trim());
  }

  /** An earlier input that is too large for the page is fetched only when it is to be edited. */
  #offerLarge() {
    const place = document.getElementById("large-input");
    const button = /** @type {HTMLButtonElement} */ (document.getElementById("edit-large"));
    if (!place) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        const reply = await request(place.dataset.input);
        if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
        this.#input.value = await reply.text();
        place.remove();
        this.#input.focus();
        this.#show();
      } catch {
        button.disabled = false;
        toast("The input could not be fetched. Try again.", { error: true });
      }
    });
  }

  get #isStored() {
    return document.getElementById("large-input") !== null && !this.#input.value.trim();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#show(), PAUSE_MS);
  }

  #keys(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    if (document.querySelector("dialog[open]")) return;
    event.preventDefault();
    // The button itself, so that a disabled one (a request is on its way) stays without effect.
    /** @type {HTMLElement} */ (form.querySelector("[type=submit]")).click();
  }

  /** An endpoint with an example brings it along, unless an input was typed; and its mode, unless one was chosen. */
  #offerExample() {
    const known = endpoints();
    const { mode, input } =
      known.find(({ value }) => value === this.#fields.endpoint_id.value.trim())?.dataset ?? {};
    if (!input || !this.#isUntyped(this.#input.value)) return;
    this.#input.value = input;
    this.#input.dispatchEvent(new Event("input", { bubbles: true }));
    if (!this.#isModeChosen) this.#fields.mode.value = mode;
  }

  #show() {
    this.#judge();
    this.#markUnheeded();
    this.#code.show();
  }

  /** Say beside an option that fal does not heed it in the chosen mode. */
  #markUnheeded() {
    for (const place of form.querySelectorAll("[data-heeded]")) {
      const isHeeded = (place.dataset.heeded ?? "").split(" ").includes(this.#fields.mode.value);
      place.querySelector("[data-unheeded]")?.toggleAttribute("hidden", isHeeded);
    }
  }

  #judge() {
    const problem = problemOf(this.#input.value);
    const state = byId("json-state");
    state.textContent = problem ? this.#words(problem) : "valid JSON";
    state.classList.toggle("json-wrong", problem !== null);
    this.#mark(problem);
  }

  #words({ message, line, column }) {
    return line ? `${message}: line ${line}, column ${column}` : message;
  }

  /** Show the line and point at the column. */
  #mark(problem) {
    const place = byId("json-place");
    const isKnown = problem?.line != null;
    place.hidden = !isKnown;
    if (!isKnown) return;
    const line = this.#input.value.split("\n")[problem.line - 1] ?? "";
    const start = Math.max(0, problem.column - 40);
    const excerpt = line.slice(start, start + 72);
    const prefix = `${problem.line} │ `;
    const gap = " ".repeat(prefix.length + problem.column - 1 - start);
    byId("json-excerpt").textContent = `${prefix}${excerpt}\n${gap}^`;
    place.dataset.offset = String(offsetOf(this.#input.value, problem.line, problem.column));
  }

  #goThere() {
    const offset = Number(byId("json-place").dataset.offset);
    this.#input.focus();
    this.#input.setSelectionRange(offset, offset + 1);
  }

  #format() {
    try {
      const text = format(this.#input.value);
      this.#input.focus();
      this.#input.select();
      document.execCommand("insertText", false, text); // the one way that keeps undo
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      this.#goThere();
    }
  }

  #request() {
    return {
      endpoint: this.#fields.endpoint_id.value.trim() || "owner/app",
      mode: this.#fields.mode.value,
      input: this.#input.value,
      options: optionsOf(this.#fields, this.#table),
      isLeftOut: this.#isStored,
    };
  }

  // --- what the server said ---

  #clearErrors() {
    for (const place of form.querySelectorAll(".field-error, .form-error")) place.replaceChildren();
    this.#markErrors();
  }

  #answered() {
    this.#markErrors();
    const first = form.querySelector("[aria-invalid=true]");
    if (!first) return;
    const options = first.closest("details");
    if (options) options.open = true;
    first.focus();
  }

  /** Tie each field to its error; the input's error names a line and a column. */
  #markErrors() {
    for (const place of form.querySelectorAll(".field-error")) {
      const field = form.querySelector(`#id_${place.id.replace("error-", "")}`);
      if (!field) continue;
      const isWrong = place.textContent.trim() !== "";
      if (isWrong) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
      if (isWrong && field === this.#input) this.#markServers(place.textContent);
    }
  }

  #markServers(text) {
    const place = placeOf(text);
    if (place) this.#mark({ message: text, ...place });
  }
}

/** null on pages without the form. */
export const compose = form ? new Compose() : null;
