// The search box completes the term at the caret: keys, and values that the team's rows have. Without this the box is
// typed into as it is.
//
//   <form data-completions="URL"> with #search in it

import { request } from "../lib/http.js";

const WAIT_MS = 120; // after the last letter
const MOST_KEPT = 100; // answers

/** The term that ends at the caret: from the last space that stands in no quotation marks. */
function termBefore(text) {
  let start = 0;
  let isQuoted = false;
  for (let at = 0; at < text.length; at += 1) {
    if (text[at] === '"') isQuoted = !isQuoted;
    else if (/\s/.test(text[at]) && !isQuoted) start = at + 1;
  }
  return text.slice(start);
}

class Completions {
  #box;
  #url;
  #list = document.createElement("ul");
  /** @type {Map<string, {text: string, about: string}[]>} */
  #kept = new Map();
  /** @type {number | undefined} */
  #timer;
  #asked = 0;

  constructor(box, url) {
    this.#box = box;
    this.#url = url;
    Object.assign(this.#list, { id: "search-completions", className: "completions", hidden: true });
    this.#list.setAttribute("role", "listbox");
    this.#list.setAttribute("aria-label", "Completions");
    box.after(this.#list);
    for (const [name, value] of Object.entries({
      role: "combobox",
      "aria-autocomplete": "list",
      "aria-controls": this.#list.id,
      "aria-expanded": "false",
    })) {
      box.setAttribute(name, value);
    }
    box.addEventListener("input", () => this.#askSoon());
    box.addEventListener("blur", () => this.#close());
    // Before search.js: Escape closes the list first.
    box.addEventListener("keydown", (event) => this.#press(event), { capture: true });
    // The box keeps the focus.
    this.#list.addEventListener("pointerdown", (event) => event.preventDefault());
    this.#list.addEventListener("click", ({ target }) => {
      const option = target instanceof Element && target.closest("li");
      if (option) this.#take(option);
    });
  }

  get #active() {
    return this.#list.querySelector("[aria-selected=true]");
  }

  #typed() {
    return termBefore(this.#box.value.slice(0, this.#box.selectionStart ?? this.#box.value.length));
  }

  #askSoon() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#ask(), WAIT_MS);
  }

  async #ask() {
    const typed = this.#typed();
    const number = (this.#asked += 1);
    const items = await this.#found(typed);
    if (number === this.#asked && document.activeElement === this.#box) this.#show(items);
  }

  async #found(typed) {
    const known = this.#kept.get(typed);
    if (known) return known;
    try {
      const reply = await request(`${this.#url}?typed=${encodeURIComponent(typed)}`);
      if (!reply.ok) return [];
      const { items } = await reply.json();
      if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
      this.#kept.set(typed, items);
      return items;
    } catch {
      return []; // the next letter asks again
    }
  }

  #show(items) {
    const typed = this.#typed();
    const options = items.filter(({ text }) => text !== typed).map(optionOf);
    this.#list.replaceChildren(...options);
    this.#list.hidden = options.length === 0;
    this.#box.setAttribute("aria-expanded", String(options.length > 0));
    this.#box.removeAttribute("aria-activedescendant");
  }

  #close() {
    clearTimeout(this.#timer);
    this.#asked += 1;
    this.#show([]);
  }

  #press(event) {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const isOpen = !this.#list.hidden;
    if (event.key === "ArrowDown" && !isOpen) this.#ask();
    else if (event.key === "ArrowDown") this.#move(1);
    else if (event.key === "ArrowUp" && isOpen) this.#move(-1);
    else if (event.key === "Escape" && isOpen) this.#close();
    else if (event.key === "Enter" && this.#active) this.#take(this.#active);
    else return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }

  /** One on; past the ends none is active, as at first. */
  #move(step) {
    const options = [...this.#list.children];
    const before = this.#active;
    const at = before ? options.indexOf(before) + step : step > 0 ? 0 : options.length - 1;
    before?.setAttribute("aria-selected", "false");
    const next = options[at];
    next?.setAttribute("aria-selected", "true");
    next?.scrollIntoView({ block: "nearest" });
    if (next) this.#box.setAttribute("aria-activedescendant", next.id);
    else this.#box.removeAttribute("aria-activedescendant");
  }

  /** Put the term in; one that is whole ends with a space, a beginning goes on. */
  #take(option) {
    const { text } = option.dataset;
    const end = this.#box.selectionStart ?? this.#box.value.length;
    const start = end - this.#typed().length;
    const rest = this.#box.value.slice(end);
    const isWhole = !/[:.]$/.test(text);
    const put = isWhole && !/^\s/.test(rest) ? `${text} ` : text;
    this.#box.value = this.#box.value.slice(0, start) + put + rest;
    this.#box.setSelectionRange(start + put.length, start + put.length);
    this.#close();
    if (!isWhole) this.#ask();
  }
}

function optionOf({ text, about }, index) {
  const option = document.createElement("li");
  option.id = `search-completion-${index}`;
  option.setAttribute("role", "option");
  option.setAttribute("aria-selected", "false");
  option.dataset.text = text;
  for (const [name, words] of [
    ["mono clip", text],
    ["muted", about],
  ]) {
    const part = document.createElement("span");
    part.className = name;
    part.textContent = words;
    if (words) option.append(part, " ");
  }
  return option;
}

const box = document.getElementById("search");
/** @type {HTMLElement | null | undefined} */
const form = box?.closest("[data-completions]");
if (box && form) new Completions(box, form.dataset.completions);
