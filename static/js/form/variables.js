// The variables of a preset: a value typed above the form stands in the input at once. Every time the text of the
// preset is filled again, so that a value can be changed; an input that was edited meanwhile is left alone.

import { parsed } from "../lib/jsontext.js";

const VARIABLE = /\{\{\s*([\p{L}\p{N}_][\p{L}\p{N}_.-]{0,63})\s*\}\}/gu;
const TYPED = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)$/;

/**
 * The text with the values in its strings: {name: {text, isText}}. A string that is one variable alone becomes the
 * number, true, false or null that is typed, unless the field takes text.
 */
function filled(text, values) {
  const root = parsed(text);
  if (!root) return text;
  const edits = [];
  const waiting = [root];
  while (waiting.length) {
    const node = waiting.pop();
    if (node.type === "string") edits.push({ node, with: put(node, values) });
    for (const { value } of node.members ?? []) waiting.push(value);
    for (const item of node.items ?? []) waiting.push(item);
  }
  edits.sort((one, other) => other.node.start - one.node.start);
  return edits.reduce(
    (whole, { node, with: token }) => whole.slice(0, node.start) + token + whole.slice(node.end),
    text,
  );
}

function put(node, values) {
  const has = (name) => (values[name]?.text ?? "") !== "";
  const names = [...node.value.matchAll(VARIABLE)];
  if (!names.some((match) => has(match[1]))) return node.raw;
  const [first] = names;
  const { text, isText } = values[first[1]] ?? {};
  if (first[0] === node.value && !isText && TYPED.test(text)) return text;
  return JSON.stringify(
    node.value.replace(VARIABLE, (whole, name) => (has(name) ? values[name].text : whole)),
  );
}

class Variables {
  #text = /** @type {HTMLTextAreaElement} */ (document.getElementById("id_input"));
  #fields;
  #origin;
  #last;

  constructor(box) {
    this.#fields = /** @type {HTMLInputElement[]} */ ([...box.querySelectorAll("[data-variable]")]);
    this.#origin = this.#last = this.#text.value;
    for (const field of this.#fields) field.addEventListener("input", () => this.#fill());
  }

  #fill() {
    if (this.#text.value !== this.#last) this.#origin = this.#text.value;
    const values = Object.fromEntries(
      this.#fields.map(({ dataset, value }) => [
        dataset.variable,
        { text: value, isText: "text" in dataset },
      ]),
    );
    this.#last = this.#text.value = filled(this.#origin, values);
    this.#text.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

const box = document.querySelector("[data-variables]");
if (box && document.getElementById("id_input")) new Variables(box);
