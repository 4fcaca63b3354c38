// The form of a schema: controls over one JSON text. The text is the truth and is what is sent; a control that is
// changed edits its place in the text, and a text that is changed is shown in the controls. A value that was left alone
// is not in the text.

import { find, namesOf, pointerOf, removeAt, setAt } from "../lib/jsonedit.js";
import { parsed } from "../lib/jsontext.js";
import { controlOf, startOf } from "./controls.js";

export class SchemaForm {
  #root;
  #text; // the <textarea>

  constructor(root, text) {
    this.#root = root;
    this.#text = text;
    root.addEventListener("input", (event) => this.#changed(event));
    root.addEventListener("click", (event) => this.#clicked(event));
    this.show();
  }

  /** Show the text in the controls. False when it is not a JSON object, which only the JSON view can show. */
  show() {
    const tree = this.#text.value.trim() ? parsed(this.#text.value) : { type: "object", members: [] };
    if (tree?.type !== "object") return false;
    for (const field of childrenOf(this.#root)) this.#showField(field, tree);
    this.#count();
    return true;
  }

  /** Problems at their fields: [{path, message}]. Gives those that have no field. */
  mark(problems) {
    this.clear();
    const lost = problems.filter(({ path, message }) => !this.#markOne(path, message));
    this.#root.querySelector("[aria-invalid=true]")?.focus();
    return lost;
  }

  /** Forget the problems. */
  clear() {
    for (const place of this.#root.querySelectorAll("[data-problem]")) {
      place.hidden = true;
      place.textContent = "";
    }
    for (const input of this.#root.querySelectorAll("[aria-invalid]")) input.removeAttribute("aria-invalid");
  }

  // --- text to controls ---

  #showField(field, tree) {
    const node = find(tree, placeOf(field));
    const control = controlOf(field);
    control.show(field, node, this.#text.value);
    const reset = own(field, "[data-reset]");
    if (reset) reset.hidden = node === undefined;
    field.classList.toggle("schema-is-set", node !== undefined);
    if (field.dataset.control === "list") this.#showItems(field, node);
    for (const child of childrenOf(field)) this.#showField(child, tree);
  }

  /** As many items as the array has. */
  #showItems(field, node) {
    const box = own(field, "[data-items]");
    const wanted = node?.type === "array" ? node.items.length : 0;
    while (box.children.length > wanted) box.lastElementChild.remove();
    while (box.children.length < wanted) box.append(own(field, "template").content.cloneNode(true));
  }

  #count() {
    const place = this.#root.querySelector("[data-set-count]");
    if (!place) return;
    const set = place.closest("details").querySelectorAll(":scope > .schema-inner > .schema-is-set").length;
    place.textContent = set ? `${set} set` : "";
  }

  // --- controls to text ---

  #changed({ target }) {
    const field = target.closest("[data-name]");
    if (!field || !this.#root.contains(field)) return;
    const value = controlOf(field).read(field, target);
    if (value === null) return; // not to be sent yet, and said at the field
    this.#put(field, value);
  }

  #clicked(event) {
    const button = event.target.closest("button");
    const field = button?.closest("[data-name]");
    if (!field) return;
    if (button.matches("[data-reset]")) this.#put(field, undefined);
    else if (button.matches("[data-add]")) this.#add(field);
    else if (button.matches("[data-remove]")) this.#removeItem(button.closest("[data-item]"));
    else if (button.matches("[data-up]")) this.#moveUp(button.closest("[data-item]"));
    else if (button.matches("[data-json]")) this.#put(field, button.dataset.json);
    else if (button.matches("[data-dice]")) this.#put(field, String(Math.floor(Math.random() * 2 ** 31)));
  }

  #put(field, value) {
    const place = placeOf(field);
    const text = this.#text.value.trim() ? this.#text.value : "{}";
    this.#write(value === undefined ? removeAt(text, place) : setAt(text, place, value));
  }

  #add(field) {
    const place = placeOf(field);
    const text = this.#text.value.trim() ? this.#text.value : "{}";
    const hasList = find(parsed(text), place)?.type === "array";
    const item = startOf(own(field, "template").content.querySelector("[data-name]"));
    this.#write(hasList ? setAt(text, `${place}/-`, item) : setAt(text, place, `[${item}]`));
    own(field, "[data-items]").lastElementChild?.querySelector("[data-input]")?.focus();
  }

  #removeItem(item) {
    this.#write(removeAt(this.#text.value, placeOf(item.querySelector("[data-name]"))));
  }

  /** The item and the one before it change places. */
  #moveUp(item) {
    const index = [...item.parentElement.children].indexOf(item);
    if (index < 1) return;
    const list = placeOf(item.parentElement.closest("[data-name]"));
    const { items } = find(parsed(this.#text.value), list);
    const [first, second] = [index - 1, index].map((at) =>
      this.#text.value.slice(items[at].start, items[at].end),
    );
    this.#write(setAt(setAt(this.#text.value, `${list}/${index - 1}`, second), `${list}/${index}`, first));
  }

  #write(text) {
    this.#text.value = text;
    this.#text.dispatchEvent(new Event("input", { bubbles: true }));
    this.show();
  }

  // --- problems ---

  /** At the field, or at the one that it lies in: a box of JSON has no fields inside. */
  #markOne(path, message) {
    const fields = [...this.#root.querySelectorAll("[data-name]")];
    /** @type {HTMLElement | undefined} */
    let field;
    let at = path;
    while (at && !(field = fields.find((one) => placeOf(one) === at))) at = at.slice(0, at.lastIndexOf("/"));
    const place = field && own(field, "[data-problem]");
    if (!field || !place) return false;
    const inside = namesOf(path.slice(at.length)).join(".");
    const sentence = inside ? `${inside}: ${message}` : message;
    place.textContent = place.textContent ? `${place.textContent} ${sentence}` : sentence;
    place.hidden = false;
    own(field, "[data-input]")?.setAttribute("aria-invalid", "true");
    for (let box = field.closest("details"); box; box = box.parentElement?.closest("details") ?? null)
      box.open = true;
    return true;
  }
}

/** The JSON pointer of a field: its name, or its index in a list, behind those it lies in. */
export function placeOf(field) {
  const names = [];
  for (let at = field; at; at = at.parentElement.closest("[data-name]")) {
    const item = at.parentElement.closest("[data-item]");
    const isItem = item && item.querySelector("[data-name]") === at;
    names.unshift(isItem ? [...item.parentElement.children].indexOf(item) : at.dataset.name);
  }
  return pointerOf(names);
}

/** The fields directly inside, not those inside of these. */
function childrenOf(element) {
  const inside = [...element.querySelectorAll("[data-name]")];
  const parent = element.matches("[data-name]") ? element : null;
  return inside.filter((field) => field.parentElement.closest("[data-name]") === parent);
}

/** The first element of the field itself that fits. */
function own(field, selector) {
  return [...field.querySelectorAll(selector)].find((one) => one.closest("[data-name]") === field) ?? null;
}
