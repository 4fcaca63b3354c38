// ?use=URL (and &use_in=FIELD): a file that was brought along goes into the named field, else into the first empty one
// that takes it. When the endpoint has none, it waits for the next endpoint.

import { fieldsFor, giveUrl } from "./files.js";

const box = /** @type {HTMLElement} */ (document.getElementById("schema-view"));
const notice = /** @type {HTMLElement} */ (document.querySelector("[data-carried]"));
const titleOf = (zone) =>
  zone.closest("[data-name]").querySelector(".schema-title").firstChild.textContent.trim();

/** @returns {string} */
const nameOf = (zone) => zone.closest("[data-name]").dataset.name;

class Carried {
  #url = notice.dataset.carried;
  #said = /** @type {HTMLElement} */ (notice.querySelector("[data-said]"));
  #isUsed = false;
  /** @type {HTMLElement[]} where it is already */
  #places = [];

  constructor() {
    this.#show();
    box.addEventListener("schema:shown", () => this.#show());
  }

  #show() {
    const zones = box.querySelector("[data-schema-form]") ? this.#fitting() : null;
    if (zones?.length && !this.#isUsed) this.#use(zones[0]);
    else if (zones && !zones.length && !this.#isUsed)
      this.#said.textContent = "This endpoint takes no such file. Choose another one: the file waits here.";
    this.#offer(zones ?? []);
  }

  #fitting() {
    const zones = fieldsFor(fileAt(this.#url));
    const named = zones.find((zone) => nameOf(zone) === notice.dataset.in);
    return named ? [named, ...zones.filter((zone) => zone !== named)] : zones;
  }

  #use(zone) {
    this.#isUsed = true;
    this.#places.push(zone);
    for (let more = zone.closest("details"); more; more = more.parentElement.closest("details"))
      more.open = true;
    giveUrl(zone, this.#url);
    this.#said.textContent = `Put into “${titleOf(zone)}”.`;
    // Loaded again, the page has it from the draft.
    const here = new URL(location.href);
    for (const name of ["use", "use_in"]) here.searchParams.delete(name);
    history.replaceState(history.state, "", here);
  }

  /** The other fields that take it. */
  #offer(zones) {
    const others = zones.filter((zone) => !this.#places.includes(zone));
    const buttons = this.#isUsed ? others.map((zone) => this.#button(zone)) : [];
    notice.querySelector("[data-fields]")?.replaceChildren(...buttons);
  }

  #button(zone) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button button-small";
    button.textContent = `Put into “${titleOf(zone)}”`;
    button.addEventListener("click", () => {
      this.#use(zone);
      this.#offer(this.#fitting());
    });
    return button;
  }
}

/** What the address tells of the file. */
function fileAt(url) {
  const inline = /^data:([^;,]*)/i.exec(url);
  if (inline) return { type: inline[1].toLowerCase(), name: "" };
  return { type: "", name: new URL(url).pathname.split("/").pop() };
}

const isUsable = (url) => /^data:[a-z]/i.test(url) || (/^https?:\/\//i.test(url) && URL.canParse(url));

if (box && notice && isUsable(notice.dataset.carried)) new Carried();
