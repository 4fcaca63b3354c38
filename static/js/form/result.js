// The result beside the form: the newest submit, or the run whose input was loaded.

import { RequestPlace } from "../request/place.js";

const MOST = 4; // to compare

const place = /** @type {HTMLElement} */ (document.getElementById("result"));

class Result {
  /** @type {HTMLElement | null} of several runs that were submitted together */
  #group = null;
  #place = new RequestPlace(place, place.dataset.resultUrl ?? "", {
    word: "result",
    shown: (id) => this.#shown(id),
  });

  constructor() {
    document.addEventListener("request:created", ({ detail }) => this.#created(detail));
    if (place.dataset.shows) this.show(place.dataset.shows);
  }

  /** Put the request with this id in the place of what is shown. */
  show(id) {
    return this.#place.show(id);
  }

  #created(/** @type {RequestNews} */ { id, ids, compare }) {
    this.#group = ids ? groupOf(ids, compare, (other) => this.show(other)) : null;
    this.show(id).then(() => {
      if (matchMedia("(width < 1000px)").matches) place.scrollIntoView({ block: "start" }); // it is below the form
    });
  }

  #shown(id) {
    place.dataset.shows = id;
    if (this.#group) this.#showGroup(this.#group, id);
    place.dispatchEvent(new CustomEvent("result:shown", { bubbles: true, detail: { id } }));
  }

  #showGroup(group, id) {
    const buttons = [...group.querySelectorAll("[data-of]")];
    if (!buttons.some((button) => button.dataset.of === id))
      this.#group = null; // another run was loaded
    else place.prepend(group);
    for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.of === id));
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
