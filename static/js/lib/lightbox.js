// A picture as large as the window: <a data-lightbox href> inside a .media, or inside what has data-lightbox-group.
// Arrows go to its neighbours, Home and End to the first and last, Esc closes, and the focus returns to where it was.

import { icon } from "./icon.js";

const STEPS = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

class Lightbox {
  #dialog = document.createElement("dialog");
  #picture = document.createElement("img");
  #words = document.createElement("p");
  #back = button("left", "The picture before", () => this.#step(-1));
  #on = button("right", "The next picture", () => this.#step(1));
  /** @type {HTMLAnchorElement[]} */
  #links = [];
  #at = 0;

  constructor() {
    const close = button("cross", "Close", () => this.#dialog.close());
    close.classList.add("lightbox-close");
    this.#dialog.className = "lightbox";
    this.#dialog.tabIndex = -1; // the keys are its own: a button without effect would take them
    this.#picture.referrerPolicy = "no-referrer";
    this.#words.setAttribute("role", "status");
    this.#dialog.append(this.#picture, this.#words, this.#back, this.#on, close);
    document.body.append(this.#dialog);
    this.#dialog.addEventListener("keydown", (event) => this.#keys(event));
    this.#dialog.addEventListener("click", ({ target }) => target === this.#dialog && this.#dialog.close());
    this.#dialog.addEventListener("close", () => this.#closed());
  }

  open(link) {
    const group = link.closest("[data-lightbox-group]") ?? link.closest(".media") ?? document;
    this.#links = [...group.querySelectorAll("a[data-lightbox]")];
    this.#show(this.#links.indexOf(link));
    this.#dialog.showModal();
    this.#dialog.focus();
  }

  #keys(event) {
    const last = this.#links.length - 1;
    const next = { Home: 0, End: last }[event.key] ?? this.#at + (STEPS[event.key] ?? NaN);
    if (Number.isNaN(next)) return;
    event.preventDefault();
    this.#show(Math.min(last, Math.max(0, next)));
  }

  #step(by) {
    if (this.#links[this.#at + by]) this.#show(this.#at + by);
  }

  #show(at) {
    this.#at = at;
    const link = this.#links[at];
    const name = link.title || "picture";
    this.#picture.src = link.href;
    this.#picture.alt = name;
    const count = this.#links.length;
    this.#words.textContent = count > 1 ? `${name} · ${at + 1} of ${count}` : name;
    this.#dialog.setAttribute("aria-label", this.#words.textContent);
    this.#back.hidden = this.#on.hidden = count < 2;
    this.#back.setAttribute("aria-disabled", String(at === 0));
    this.#on.setAttribute("aria-disabled", String(at === count - 1));
  }

  /** To the picture that was looked at last. */
  #closed() {
    this.#picture.removeAttribute("src");
    this.#links[this.#at]?.focus();
  }
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
  const link = event.target.closest("a[data-lightbox]");
  if (!link?.querySelector("img")) return; // a picture that could not be loaded: the link leads to its address
  event.preventDefault();
  lightbox ??= new Lightbox();
  lightbox.open(link);
});
