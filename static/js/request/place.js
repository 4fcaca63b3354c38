// A request in a place inside another page: beside the form, beside the list. It is the request's own page without its
// frame, live by the same modules; one at a time, for its parts have ids.

import { request } from "../lib/http.js";
import { dropLost } from "../lib/lostmedia.js";
import { mountRequest } from "./mount.js";

const SLOW_MS = 300;
const ANY = "00000000-0000-0000-0000-000000000000"; // stands for the id in an address
const GONE = "This request is not there any more, or you are no longer in its team.";

export class RequestPlace {
  #place;
  #address;
  #word;
  #shown;
  #turn = 0; // the newest wish wins
  #end = () => {};

  /**
   * `address` has ANY where the id belongs; `word` is what could not be fetched, if it comes to that; `shown(id)` is
   * called when a request stands there.
   */
  constructor(place, address, { word = "request", shown = (/** @type {string} */ _id) => {} } = {}) {
    [this.#place, this.#address, this.#word, this.#shown] = [place, address, word, shown];
  }

  /** Put the request with this id in the place of what is shown. */
  async show(id) {
    const turn = ++this.#turn;
    const slow = setTimeout(() => this.#wait(true), SLOW_MS);
    try {
      const reply = await request(this.#address.replace(ANY, id));
      if (turn !== this.#turn) return;
      if (reply.status === 404) return this.#tell(GONE);
      if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
      const html = await reply.text();
      if (turn === this.#turn) this.#put(html, id);
    } catch (/** @type {any} */ error) {
      if (turn === this.#turn)
        this.#tell(`The ${this.#word} could not be fetched: ${error.message}.`, () => this.show(id));
    } finally {
      clearTimeout(slow);
      if (turn === this.#turn) this.#wait(false);
    }
  }

  /** Bring to life what came with the page. */
  adopt(id) {
    const page = this.#place.querySelector("#request-page");
    if (!page) return;
    this.#end = mountRequest(page);
    this.#shown(id);
  }

  clear() {
    this.#turn += 1;
    this.#stop();
    this.#wait(false);
    this.#place.replaceChildren();
  }

  #wait(isOn) {
    this.#place.classList.toggle("place-loading", isOn);
    this.#place.setAttribute("aria-busy", String(isOn));
  }

  #stop() {
    this.#end();
    this.#end = () => {};
  }

  #put(html, id) {
    this.#stop();
    const page = new DOMParser().parseFromString(html, "text/html");
    this.#place.replaceChildren(...page.body.childNodes);
    window.htmx?.process(this.#place);
    dropLost(this.#place);
    this.adopt(id);
  }

  #tell(sentence, retry) {
    this.#stop();
    const words = document.createElement("p");
    words.textContent = sentence;
    const notice = document.createElement("div");
    notice.className = "notice notice-error";
    notice.setAttribute("role", "alert");
    notice.append(words);
    if (retry) notice.append(retryButton(retry));
    this.#place.replaceChildren(notice);
  }
}

function retryButton(retry) {
  const button = document.createElement("button");
  [button.type, button.className, button.textContent] = ["button", "button button-small", "Try again"];
  button.addEventListener("click", retry);
  return button;
}
