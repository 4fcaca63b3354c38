// Ctrl-K: a box that leads to anything by its name, and does what the page can do. What the page can do is read from the
// page; everything else the server finds.

import { request } from "./http.js";
import { icon } from "./icon.js";
import { acts, press } from "./keyacts.js";

const PAUSE_MS = 120; // while one types
const SLOW_MS = 300;

const dialog = /** @type {HTMLDialogElement | null} */ (document.getElementById("palette"));

/** @typedef {{ word: string, icon: string, detail: string, run: () => void }} Act */

const nameOf = (button) =>
  button.textContent.trim() || button.title || button.querySelector("svg")?.getAttribute("aria-label") || "";

/** @returns {Act[]} what can be done on this page, as it is now */
function actsHere() {
  const found = acts()
    .filter(([key], at, all) => all.findIndex(([, button]) => button === all[at][1]) === at && key)
    .map(([key, button]) => ({
      word: nameOf(button),
      icon: "run",
      detail: key,
      run: () => press(key, button),
    }));
  for (const button of document.querySelectorAll(".page-title .button:not([aria-keyshortcuts])"))
    if (button.checkVisibility())
      found.push({ word: nameOf(button), icon: "right", detail: "", run: () => button.click() });
  const light = document.getElementById("connection");
  if (light && !light.hidden)
    found.push({
      word: light.dataset.state === "paused" ? "Go on with live updates" : "Pause live updates",
      icon: "clock",
      detail: ".",
      run: () => document.dispatchEvent(new CustomEvent("live:pause")),
    });
  add(found, "[data-theme-switch]", "Change the theme", "theme", "t");
  add(found, "[data-shortcuts]", "Keyboard shortcuts", "keyboard", "?");
  return found;
}

function add(found, selector, word, name, key) {
  const button = document.querySelector(selector);
  if (button) found.push({ word, icon: name, detail: key, run: () => button.click() });
}

class Palette {
  #dialog;
  #input;
  #list;
  #here;
  #found;
  #status;
  /** @type {Act[]} */
  #acts = [];
  #turn = 0; // the newest question wins
  #answered = Promise.resolve();
  /** @type {number | undefined} */
  #timer;

  constructor(/** @type {HTMLDialogElement} */ dialog) {
    const part = (selector) => /** @type {HTMLElement} */ (dialog.querySelector(selector));
    this.#dialog = dialog;
    this.#input = /** @type {HTMLInputElement} */ (part("input"));
    [this.#list, this.#status] = [part("[role=listbox]"), part("[role=status]")];
    [this.#here, this.#found] = [part("[data-here]"), part("[data-found]")];
    this.#input.addEventListener("input", () => this.#ask(PAUSE_MS));
    this.#input.addEventListener("keydown", (event) => this.#key(event));
    this.#list.addEventListener("click", (event) => this.#clicked(event));
    dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  }

  toggle() {
    if (this.#dialog.open) return this.#dialog.close();
    if (document.querySelector("dialog[open]")) return;
    for (const menu of document.querySelectorAll("details.menu[open]")) menu.removeAttribute("open");
    this.#acts = actsHere();
    this.#input.value = "";
    this.#found.replaceChildren();
    this.#dialog.showModal();
    this.#input.focus();
    this.#ask(0);
  }

  get #offers() {
    return [...this.#list.querySelectorAll("[role=option]")];
  }

  get #chosen() {
    return this.#list.querySelector("[aria-selected=true]");
  }

  /** The page's own acts show at once, and with what the server finds the first is chosen. */
  #ask(pause) {
    const turn = ++this.#turn;
    clearTimeout(this.#timer);
    this.#showHere();
    this.#answered = new Promise((done) => {
      this.#timer = setTimeout(() => this.#fetch(turn).then(done), pause);
    });
  }

  async #fetch(turn) {
    const slow = setTimeout(() => this.#list.setAttribute("aria-busy", "true"), SLOW_MS);
    const q = this.#input.value.trim();
    let html = "";
    let problem = "";
    try {
      const reply = await request(`${this.#dialog.dataset.url}?${new URLSearchParams({ q })}`);
      if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
      html = await reply.text();
    } catch (/** @type {any} */ error) {
      problem = `Only what this page can do: ${error.message}.`;
    } finally {
      clearTimeout(slow);
    }
    if (turn !== this.#turn) return;
    this.#list.removeAttribute("aria-busy");
    this.#showFound(html, problem);
  }

  #showHere() {
    const words = this.#input.value.toLowerCase().split(/\s+/).filter(Boolean);
    const here = this.#acts.filter(({ word }) => words.every((one) => word.toLowerCase().includes(one)));
    this.#here.replaceChildren(...(here.length ? [groupOf(here, (act) => this.#run(act))] : []));
    this.#begin();
  }

  #showFound(html, problem) {
    const page = new DOMParser().parseFromString(html, "text/html");
    this.#found.replaceChildren(...page.body.childNodes);
    this.#begin();
    this.#status.textContent = problem || `${this.#offers.length} found`;
  }

  #begin() {
    const offers = this.#offers;
    offers.forEach((offer, index) => (offer.id = `palette-offer-${index}`));
    this.#choose(offers[0]);
    this.#list.scrollTop = 0;
  }

  #choose(offer) {
    this.#chosen?.setAttribute("aria-selected", "false");
    offer?.setAttribute("aria-selected", "true");
    offer?.scrollIntoView({ block: "nearest" });
    if (offer) this.#input.setAttribute("aria-activedescendant", offer.id);
    else this.#input.removeAttribute("aria-activedescendant");
  }

  #key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by) {
      event.preventDefault();
      const offers = this.#offers;
      const at = offers.indexOf(/** @type {HTMLElement} */ (this.#chosen));
      this.#choose(offers[(at + by + offers.length) % offers.length]);
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      this.#enter(event.ctrlKey || event.metaKey);
    }
  }

  /** What is typed counts, not what was found before. */
  async #enter(isNewTab) {
    await this.#answered;
    const offer = this.#chosen;
    if (!this.#dialog.open || !offer) return;
    const keys = isNewTab ? { ctrlKey: true, metaKey: true } : {};
    offer.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true, view: window, ...keys }));
  }

  #clicked(event) {
    const offer = event.target.closest("[role=option]");
    if (offer && !event.ctrlKey && !event.metaKey && !event.shiftKey) this.#dialog.close();
  }

  #run(act) {
    if (this.#dialog.open) this.#dialog.close();
    act.run();
  }
}

function groupOf(acts, run) {
  const group = document.createElement("div");
  group.className = "palette-group";
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "On this page");
  const title = document.createElement("div");
  [title.className, title.textContent] = ["palette-title", "On this page"];
  group.append(title, ...acts.map((act) => offerOf(act, run)));
  return group;
}

function offerOf(act, run) {
  const offer = document.createElement("button");
  [offer.type, offer.className, offer.tabIndex] = ["button", "palette-offer", -1];
  offer.setAttribute("role", "option");
  offer.setAttribute("aria-selected", "false");
  const [word, detail] = [document.createElement("span"), document.createElement("span")];
  [word.className, word.textContent] = ["clip", act.word];
  [detail.className, detail.textContent] = ["palette-detail", act.detail];
  offer.append(icon(act.icon), word, detail);
  offer.addEventListener("click", () => run(act));
  return offer;
}

if (dialog) {
  const palette = new Palette(dialog);
  document.addEventListener("keydown", (event) => {
    if (
      event.key.toLowerCase() !== "k" ||
      !(event.ctrlKey || event.metaKey) ||
      event.altKey ||
      event.shiftKey
    )
      return;
    event.preventDefault();
    palette.toggle();
  });
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.hidden = false;
    button.addEventListener("click", () => palette.toggle());
  }
}
