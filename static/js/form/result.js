// The result beside the form: the newest submit, or the run whose input was loaded. It is the request's own page without
// its frame, live by the same modules.

import { request } from "../lib/http.js";
import { dropLost } from "../lib/lostmedia.js";
import { mountRequest } from "../request/mount.js";

const SLOW_MS = 300;
const MOST = 4; // to compare
const ANY = "00000000-0000-0000-0000-000000000000"; // stands for the id in the address of a result

const place = /** @type {HTMLElement} */ (document.getElementById("result"));

class Result {
  #turn = 0; // the newest wish wins
  /** @type {HTMLElement | null} of several runs that were submitted together */
  #group = null;
  #end = () => {};

  constructor() {
    document.addEventListener("request:created", ({ detail }) => this.#created(detail));
    if (place.dataset.shows) this.show(place.dataset.shows);
  }

  /** Put the request with this id in the place of what is shown. */
  async show(id) {
    const turn = ++this.#turn;
    const slow = setTimeout(() => place.classList.add("result-loading"), SLOW_MS);
    try {
      const reply = await request((place.dataset.resultUrl ?? "").replace(ANY, id));
      if (turn !== this.#turn) return;
      if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
      this.#put(await reply.text(), id);
    } catch (/** @type {any} */ error) {
      if (turn === this.#turn) this.#fail(id, error);
    } finally {
      clearTimeout(slow);
      place.classList.remove("result-loading");
    }
  }

  #created(/** @type {RequestNews} */ { id, ids, compare }) {
    this.#group = ids ? groupOf(ids, compare, (other) => this.show(other)) : null;
    this.show(id).then(() => {
      if (matchMedia("(width < 1000px)").matches) place.scrollIntoView({ block: "start" }); // it is below the form
    });
  }

  #put(html, id) {
    this.#end();
    const page = new DOMParser().parseFromString(html, "text/html");
    place.replaceChildren(...page.body.childNodes);
    place.dataset.shows = id;
    if (this.#group) this.#showGroup(this.#group, id);
    window.htmx?.process(place);
    dropLost(place);
    this.#end = mountRequest(/** @type {HTMLElement} */ (place.querySelector("#request-page")));
    place.dispatchEvent(new CustomEvent("result:shown", { bubbles: true, detail: { id } }));
  }

  #showGroup(group, id) {
    const buttons = [...group.querySelectorAll("[data-of]")];
    if (!buttons.some((button) => button.dataset.of === id))
      this.#group = null; // another run was loaded
    else place.prepend(group);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.of === id));
  }

  #fail(id, error) {
    this.#end();
    this.#end = () => {};
    const words = document.createElement("p");
    words.textContent = `The result could not be fetched: ${error.message}.`;
    const again = document.createElement("button");
    [again.type, again.className, again.textContent] = ["button", "button button-small", "Try again"];
    again.addEventListener("click", () => this.show(id));
    const notice = document.createElement("div");
    notice.className = "notice notice-error";
    notice.append(words, again);
    place.replaceChildren(notice);
  }
}

/** "1 2 3 4 · Compare": which of several runs is shown. */
function groupOf(ids, compare, show) {
  const group = document.createElement("nav");
  group.className = "result-group";
  group.setAttribute("aria-label", "The runs that were submitted together");
  const words = document.createElement("span");
  [words.className, words.textContent] = ["muted", `${ids.length} runs`];
  const buttons = ids.map((id, index) => {
    const button = document.createElement("button");
    [button.type, button.className, button.textContent] = [
      "button",
      "button button-small",
      String(index + 1),
    ];
    button.dataset.of = id;
    button.addEventListener("click", () => show(id));
    return button;
  });
  const way = ids.length > MOST ? chooser(ids) : document.createElement("a");
  if (way instanceof HTMLAnchorElement) [way.href, way.textContent] = [compare, "Compare"];
  way.className = "button button-small";
  group.append(words, ...buttons, way);
  return group;
}

/** More than can be compared: the tick boxes of the strip choose. */
function chooser(ids) {
  const button = document.createElement("button");
  [button.type, button.textContent] = ["button", "Compare up to four…"];
  button.addEventListener("click", () =>
    document.dispatchEvent(new CustomEvent("runs:choose", { detail: { ids } })),
  );
  return button;
}

/** null on pages without one. */
export const result = place ? new Result() : null;
