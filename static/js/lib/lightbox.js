// A medium as large as the window: <a data-lightbox href> inside a .media, or inside what has data-lightbox-group.
// Arrows go to its neighbours, Home and End to the first and last, Esc closes, and the focus returns to where it was.
//
//   <a data-lightbox data-kind="video" data-name="a.mp4">   also players and files; without a kind it is a picture
//   <template> beside it                                     what can be done with it; `i` shows the facts (.facts)
//   lightbox:more on the group                               asked near its end; detail.wait: a promise of more links

import { icon } from "./icon.js";
import { showActions } from "./save.js";
import { refreshTimes } from "./time.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
const NEAR = 6; // links before the end at which more are asked for

class Lightbox {
  #dialog = document.createElement("dialog");
  #stage = document.createElement("div");
  #words = document.createElement("p");
  #about = document.createElement("div");
  #back = button("left", "The one before", () => this.#step(-1));
  #on = button("right", "The next one", () => this.#step(1));
  #info = button("info", "Facts of the request (i)", () => this.#toggleFacts());
  /** @type {ParentNode} */
  #group = document;
  #at = 0;

  constructor() {
    const close = button("cross", "Close", () => this.#dialog.close());
    close.classList.add("lightbox-close");
    this.#info.classList.add("lightbox-info");
    this.#info.setAttribute("aria-pressed", "false");
    this.#dialog.className = "lightbox";
    this.#dialog.tabIndex = -1; // the keys are its own: a button without effect would take them
    this.#stage.className = "lightbox-stage";
    this.#about.className = "lightbox-about";
    this.#words.setAttribute("role", "status");
    const foot = document.createElement("div");
    foot.className = "lightbox-foot";
    foot.append(this.#words, this.#about);
    this.#dialog.append(this.#stage, foot, this.#back, this.#on, this.#info, close);
    document.body.append(this.#dialog);
    this.#dialog.addEventListener("keydown", (event) => this.#keys(event));
    this.#dialog.addEventListener("click", ({ target }) => {
      if (target === this.#dialog || target === this.#stage) this.#dialog.close();
    });
    this.#dialog.addEventListener("close", () => this.#closed());
  }

  get #links() {
    return /** @type {HTMLAnchorElement[]} */ ([...this.#group.querySelectorAll("a[data-lightbox]")]);
  }

  open(link) {
    this.#group = link.closest("[data-lightbox-group]") ?? link.closest(".media") ?? document;
    this.#show(this.#links.indexOf(link));
    this.#dialog.showModal();
    this.#dialog.focus();
  }

  /** The facts beside it from the start. */
  openTold(link) {
    if (!this.#dialog.classList.contains("lightbox-told")) this.#toggleFacts();
    this.open(link);
  }

  #keys(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target instanceof HTMLMediaElement) return;
    if (event.key === "i" && !this.#info.hidden) return this.#toggleFacts();
    if (event.key === "x") return this.#tick();
    const last = this.#links.length - 1;
    const next = { Home: 0, End: last }[event.key] ?? this.#at + (STEPS[event.key] ?? NaN);
    if (Number.isNaN(next)) return;
    event.preventDefault();
    if (next > last) this.#step(1);
    else this.#show(Math.max(0, next));
  }

  /** Past the end of what is here the group may have more. */
  async #step(by) {
    if (!this.#links[this.#at + by] && by > 0) await this.#more();
    if (this.#links[this.#at + by] && this.#dialog.open) this.#show(this.#at + by);
  }

  async #more() {
    /** @type {{ wait?: Promise<void> }} */
    const detail = {};
    if (this.#group instanceof Element)
      this.#group.dispatchEvent(new CustomEvent("lightbox:more", { detail }));
    await detail.wait;
  }

  #show(at) {
    this.#at = at;
    const links = this.#links;
    const link = links[at];
    const name = link.title || "picture";
    this.#stage.replaceChildren(mediumOf(link, name));
    const count = links.length;
    const hasMore = this.#group instanceof HTMLElement && "hasMore" in this.#group.dataset;
    const of = `${at + 1} of ${count}${hasMore ? " and more" : ""}`;
    this.#words.textContent = count > 1 ? `${name} · ${of}` : name;
    this.#dialog.setAttribute("aria-label", this.#words.textContent);
    this.#back.hidden = this.#on.hidden = count < 2;
    this.#back.setAttribute("aria-disabled", String(at === 0));
    this.#on.setAttribute("aria-disabled", String(at === count - 1 && !hasMore));
    this.#tellAbout(link);
    if (hasMore && at >= count - NEAR) this.#more();
  }

  #tellAbout(link) {
    const template = link.parentElement?.querySelector(":scope > template");
    this.#info.hidden = !template;
    this.#about.replaceChildren(...(template ? [template.content.cloneNode(true)] : []));
    refreshTimes(this.#about);
    showActions(this.#about);
  }

  #toggleFacts() {
    const isTold = this.#dialog.classList.toggle("lightbox-told");
    this.#info.setAttribute("aria-pressed", String(isTold));
  }

  #tick() {
    this.#links[this.#at]?.parentElement?.querySelector(".row-check")?.click();
  }

  /** To the one that was looked at last. */
  #closed() {
    this.#stage.replaceChildren(); // a player stops
    this.#about.replaceChildren();
    this.#links[this.#at]?.focus();
  }
}

/** @returns {HTMLElement} */
function mediumOf(link, name) {
  const { kind = "image" } = link.dataset;
  if (kind === "image") {
    const picture = document.createElement("img");
    picture.referrerPolicy = "no-referrer";
    picture.alt = name;
    picture.src = link.href;
    return picture;
  }
  if (kind === "video" || kind === "audio") {
    const player = document.createElement(kind);
    player.controls = true;
    player.src = link.href;
    return player;
  }
  const card = document.createElement("p");
  card.className = "lightbox-file";
  card.append(icon("file"), link.dataset.name || name);
  return card;
}

function button(name, label, act) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = "button button-icon";
  made.setAttribute("aria-label", label);
  made.append(icon(name));
  made.addEventListener("click", act);
  return made;
}

/** @type {Lightbox | null} */
let lightbox = null;

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  /** @type {HTMLElement | null} */
  const link = event.target.closest("a[data-lightbox]");
  // A picture that could not be loaded: the link leads to its address
  if (!link || !(link.dataset.kind || link.querySelector("img"))) return;
  event.preventDefault();
  lightbox ??= new Lightbox();
  lightbox.open(link);
});

document.addEventListener("lightbox:facts", () => {
  const link = document.activeElement?.closest(".tile")?.querySelector("a[data-lightbox]");
  if (!link) return;
  lightbox ??= new Lightbox();
  lightbox.openTold(link);
});
