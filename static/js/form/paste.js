// The box for a pasted call: asks the server first, so that a text that is no call stays in the box with the reason.

import { request } from "../lib/http.js";

const box = /** @type {HTMLDetailsElement} */ (document.querySelector("details.paste"));

class PasteBox {
  #form = /** @type {HTMLFormElement} */ (box.querySelector("form"));
  #text = /** @type {HTMLTextAreaElement} */ (box.querySelector("textarea"));
  #problem = /** @type {HTMLElement} */ (document.getElementById("paste-problem"));

  constructor() {
    box.addEventListener("toggle", () => box.open && this.#text.focus());
    this.#form.addEventListener("submit", (event) => this.#ask(event));
    // Ctrl-Enter elsewhere on the page submits a request.
    box.addEventListener("keydown", (event) => this.#key(event));
  }

  #key(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.stopPropagation();
    event.preventDefault();
    this.#form.requestSubmit();
  }

  async #ask(event) {
    event.preventDefault();
    const sent = { method: "POST", headers: { "HX-Request": "true" }, body: new FormData(this.#form) };
    try {
      const reply = await request(this.#form.action, sent);
      if (reply.ok) this.#form.submit();
      else if (reply.status === 422) this.#say(await reply.text());
      else this.#say(`The server answers ${reply.status}. Try again.`);
    } catch {
      this.#say("The server does not answer. Try again.");
    }
  }

  #say(sentence) {
    this.#problem.textContent = sentence;
    this.#text.setAttribute("aria-invalid", "true");
    this.#text.focus();
  }
}

if (box) new PasteBox();
