// Form | JSON: two views of the one input. The form comes with the page when the endpoint's schema is known, else it
// is fetched when an endpoint has been named. Without a schema there is the JSON view and a sentence.

import { request } from "../lib/http.js";
import { plainOf } from "../lib/jsontext.js";
import { SchemaForm } from "./fields.js";

const PAUSE_MS = 400;
const ENDPOINT = /^[\w.-]+\/[\w.-]+(\/[\w.-]+)*$/;

export class SchemaView {
  #box = /** @type {HTMLElement} */ (document.getElementById("schema-view"));
  #json = /** @type {HTMLElement} */ (document.getElementById("json-view"));
  #switch = /** @type {HTMLElement} */ (document.getElementById("view-switch"));
  #text = /** @type {HTMLElement} */ (document.getElementById("id_input"));
  #endpoint;
  /** @type {SchemaForm | null} of the endpoint that is shown */
  #form = null;
  #shown = "";
  /** @type {number | undefined} */
  #timer;

  constructor(endpoint) {
    this.#endpoint = endpoint;
    endpoint.addEventListener("input", () => this.#later());
    endpoint.addEventListener("change", () => this.#later());
    this.#text.addEventListener("input", () => this.#form && !this.#isTyped() && this.#form.show());
    this.#switch.addEventListener("click", ({ target }) => {
      /** @type {HTMLElement | null} */
      const button = target instanceof Element ? target.closest("[data-view]") : null;
      const chosen = button?.dataset.view;
      if (chosen) this.#open(chosen);
    });
    this.#begin();
    if (!this.#form) this.#later();
    this.#markServers();
    document.body.addEventListener(
      "htmx:oobAfterSwap",
      ({ detail }) => detail.target.id === "schema-problems" && this.#markServers(),
    );
  }

  /** What the server says of the input stands in the page as JSON: {"problems": [{path, message}]}. */
  #markServers() {
    const place = /** @type {HTMLElement} */ (document.getElementById("schema-problems"));
    const lost = this.mark(plainOf(place.dataset.problems) ?? []);
    place.querySelector("[data-lost]")?.replaceChildren(
      ...lost.map(({ path, message }) => {
        const line = document.createElement("p");
        line.textContent = path ? `${path}: ${message}` : message;
        return line;
      }),
    );
  }

  /** Show the problems of the server: [{path, message}]. Gives the sentences that have no field. */
  mark(problems) {
    if (!this.#form) return problems;
    const lost = this.#form.mark(problems);
    if (lost.length < problems.length) this.#open("form");
    return lost;
  }

  /** The endpoint or the text was changed by a script. */
  refresh() {
    this.#later();
    if (this.#form && !this.#form.show()) this.#open("json");
  }

  #isTyped = () => this.#box.contains(document.activeElement);

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#load(), PAUSE_MS);
  }

  async #load() {
    const name = this.#endpoint.value.trim();
    if (name === this.#shown || document.getElementById("large-input")) return; // a large input is not in the page
    if (!ENDPOINT.test(name)) return this.#put("", "");
    const slow = setTimeout(() => this.#box.classList.add("schema-loading"), 300);
    try {
      const reply = await request(`${this.#box.dataset.url}?endpoint=${encodeURIComponent(name)}`);
      if (this.#endpoint.value.trim() === name) this.#put(name, reply.ok ? await reply.text() : "");
    } catch {
      this.#put("", ""); // offline: the JSON view works all the same
    } finally {
      clearTimeout(slow);
      this.#box.classList.remove("schema-loading");
    }
  }

  #put(name, html) {
    this.#shown = name;
    const page = new DOMParser().parseFromString(html, "text/html");
    this.#box.replaceChildren(...page.body.childNodes);
    this.#begin();
  }

  #begin() {
    const root = this.#box.querySelector("[data-schema-form]");
    this.#shown =
      root?.dataset.endpoint ?? this.#box.querySelector("[data-no-schema]")?.dataset.endpoint ?? this.#shown;
    this.#form = root && new SchemaForm(root, this.#text);
    this.#switch.hidden = !root;
    this.#open(root ? "form" : "json");
    this.#box.dispatchEvent(new Event("schema:shown"));
  }

  /** A text that is no JSON object can only be shown as JSON. */
  #open(view) {
    const isForm = view === "form" && this.#form?.show() === true;
    this.#box.hidden = !isForm && this.#form !== null;
    this.#json.hidden = isForm;
    for (const button of this.#switch.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String((button.dataset.view === "form") === isForm));
    }
    const refused = /** @type {HTMLElement} */ (document.getElementById("view-refused"));
    refused.hidden = view !== "form" || isForm || !this.#form;
  }
}
