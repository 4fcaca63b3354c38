// What each control shows of a JSON node, and which JSON text it stands for.
//
// `show(field, node, text)`: node is undefined when the value is not set. `read(field, target)` gives JSON text,
// undefined for "not set", or null for something that cannot be sent yet.

import { parsed } from "../lib/jsontext.js";
import { showFile } from "./files/preview.js";

const quoted = (value) => JSON.stringify(value);
const inputOf = (field) => field.querySelector("[data-input]");
const rawOf = (node, text) => node && text.slice(node.start, node.end);
const textOf = (node, text) => {
  if (!node || node.raw === "null") return "";
  return node.type === "string" ? node.value : rawOf(node, text);
};

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** What an input showed, and of which JSON text: the same value is that text again, letter for letter. */
const shown = new WeakMap();

/** Set the value only if it differs: setting it moves the caret. */
function setValue(input, value) {
  if (input.value !== value) input.value = value;
}

function display(input, value, raw, { isTyped = false } = {}) {
  if (!isTyped) setValue(input, value);
  shown.set(input, { value: input.value, raw });
}

/** The JSON text that the input still shows; null when it shows another value, or none. */
function unchanged(input) {
  const last = shown.get(input);
  return last?.raw !== undefined && last.value === input.value ? last.raw : null;
}

const text = {
  show(field, node, source) {
    const value = textOf(node, source);
    const input = value.includes("\n") ? withLines(inputOf(field)) : inputOf(field);
    display(input, value, rawOf(node, source));
  },
  read(field) {
    const { value } = inputOf(field);
    const same = unchanged(inputOf(field));
    if (same !== null) return same;
    return value === "" && !field.hasAttribute("data-required") ? undefined : quoted(value);
  },
};

/** An input of one line drops line breaks: a text that has some gets a box with lines. */
function withLines(input) {
  if (input instanceof HTMLTextAreaElement) return input;
  const box = document.createElement("textarea");
  for (const { name, value } of input.attributes) if (name !== "type") box.setAttribute(name, value);
  box.rows = 3;
  input.replaceWith(box);
  return box;
}

/** The address; the other inputs of the field (files/) say nothing of the value. */
const media = {
  show(field, node, source) {
    text.show(field, node, source);
    showFile(field, inputOf(field).value);
  },
  read: (field, target) => (target.matches("[data-input]") ? text.read(field) : null),
};

const number = {
  show(field, node, source) {
    const input = inputOf(field);
    const value = textOf(node, source);
    display(input, value, rawOf(node, source), { isTyped: document.activeElement === input });
    const slider = field.querySelector("[data-slider]");
    if (slider) slider.value = value || field.dataset.default || slider.min;
  },
  read(field, target) {
    if (target.matches("[data-slider]")) {
      inputOf(field).value = target.value;
      return target.value;
    }
    const same = unchanged(inputOf(field));
    if (same !== null) return same;
    const value = inputOf(field).value.trim();
    if (value === "") return undefined;
    const isNumber = NUMBER.test(value);
    say(field, isNumber ? "" : "Write a number, such as 7 or 0.5.");
    return isNumber ? value : null;
  },
};

const toggle = {
  show(field, node) {
    const value = node ? node.raw === "true" : field.dataset.default === "true";
    inputOf(field).checked = value;
    field.querySelector("[data-state]").textContent = `${value ? "on" : "off"}${node ? "" : " (default)"}`;
  },
  read: (field) => String(inputOf(field).checked),
};

const buttons = {
  show(field, node, source) {
    const raw = node ? source.slice(node.start, node.end) : field.dataset.default;
    for (const button of field.querySelectorAll("[data-json]")) {
      button.setAttribute("aria-checked", String(button.dataset.json === raw));
      button.classList.toggle("schema-by-default", !node && button.dataset.json === raw);
    }
  },
  read: () => null, // pressed, not typed
};

const select = {
  show(field, node, source) {
    const input = inputOf(field);
    const raw = node ? source.slice(node.start, node.end) : "";
    input.value = raw;
    if (node && input.value !== raw) addOption(input, raw);
  },
  read: (field) => inputOf(field).value || undefined,
};

/** A value that the schema does not list is shown all the same. */
function addOption(input, raw) {
  const option = document.createElement("option");
  [option.value, option.textContent] = [raw, `${raw} (not in the schema)`];
  input.append(option);
  input.value = raw;
}

const listed = {
  show(field, node, source) {
    const input = inputOf(field);
    const list = field.querySelector("datalist");
    list.id ||= `list-${Math.random().toString(36).slice(2)}`;
    input.setAttribute("list", list.id);
    const isTyped = document.activeElement === input;
    display(input, textOf(node, source), rawOf(node, source), { isTyped });
  },
  read(field) {
    const { value } = inputOf(field);
    const same = unchanged(inputOf(field));
    if (same !== null) return same;
    if (value === "") return undefined;
    const option = [...field.querySelectorAll("datalist option")].find((one) => one.value === value);
    if (option) return option.dataset.json;
    return quoted(value);
  },
};

const size = {
  show(field, node, source) {
    const input = inputOf(field);
    const isCustom = node?.type === "object";
    if (isCustom) input.value = "custom";
    else select.show(field, node, source);
    shown.set(input, { value: input.value, raw: rawOf(node, source) });
    field.querySelector("[data-object]").hidden = !isCustom;
  },
  read(field) {
    const { value } = inputOf(field);
    const same = unchanged(inputOf(field));
    if (same !== null) return same;
    return value === "custom" ? startOfObject(field.querySelector("[data-object]")) : value || undefined;
  },
};

const checkboxes = {
  show(field, node, source) {
    const items = (node?.items ?? []).map((item) => rawOf(item, source));
    const boxes = [...field.querySelectorAll("[data-json]")];
    for (const box of boxes) box.checked = items.some((item) => isSame(item, box.dataset.json));
    shown.set(field, { items, raw: rawOf(node, source), ticks: boxes.map((box) => box.checked) });
  },
  /** Those that are ticked in their order, as they were written; then those that no box is for. */
  read(field) {
    const { items, raw, ticks } = shown.get(field);
    const boxes = [...field.querySelectorAll("[data-json]")];
    if (raw !== undefined && boxes.every((box, index) => box.checked === ticks[index])) return raw;
    const written = ({ dataset }) => items.filter((item) => isSame(item, dataset.json));
    const ticked = boxes.filter((box) => box.checked);
    const others = items.filter((item) => !boxes.some((box) => isSame(item, box.dataset.json)));
    const chosen = ticked.flatMap((box) => (written(box).length ? written(box) : [box.dataset.json]));
    chosen.push(...others);
    return chosen.length || field.hasAttribute("data-required") ? `[${chosen.join(", ")}]` : undefined;
  },
};

const color = {
  show(field, node, source) {
    const parts = "rgb".split("").map((name) => Number(memberOf(node, name, source) ?? 0));
    const hex = `#${parts.map((part) => Math.min(255, Math.max(0, part)).toString(16).padStart(2, "0")).join("")}`;
    display(inputOf(field), hex, rawOf(node, source));
    field.querySelector("[data-state]").textContent = node ? hex : "not set";
  },
  read(field) {
    const same = unchanged(inputOf(field));
    if (same !== null) return same;
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(inputOf(field).value.slice(at, at + 2), 16));
    return `{"r": ${r}, "g": ${g}, "b": ${b}}`;
  },
};

const json = {
  show(field, node, source) {
    const input = inputOf(field);
    const raw = rawOf(node, source);
    display(input, raw ?? "", raw, { isTyped: document.activeElement === input });
  },
  read(field) {
    const same = unchanged(inputOf(field));
    if (same !== null) return same;
    const value = inputOf(field).value.trim();
    if (value === "") return undefined;
    const isJson = parsed(value) !== null;
    say(field, isJson ? "" : "Not JSON yet.");
    return isJson ? value : null;
  },
};

const group = { show() {}, read: () => null }; // objects and lists are changed through what lies inside

const CONTROLS = {
  text,
  long_text: text,
  media,
  number,
  seed: number,
  switch: toggle,
  buttons,
  select,
  filter: listed,
  combobox: listed,
  size,
  checkboxes,
  color,
  json,
  object: group,
  list: group,
};

/** The control of a field. */
export const controlOf = (field) => CONTROLS[field.dataset.control] ?? json;

/** The JSON text of a fresh item of this kind. */
export function startOf(field) {
  const { control, default: byDefault } = field.dataset;
  if (byDefault) return byDefault;
  if (control === "object")
    return startOfObject(field.querySelector("[data-object]"), { hasDefaults: false });
  if (control === "size") return startOfObject(field.querySelector("[data-object]"));
  if (control === "list" || control === "checkboxes") return "[]";
  if (control === "color") return '{"r": 0, "g": 0, "b": 0}';
  if (control === "number" || control === "seed") return field.querySelector("[data-slider]")?.min ?? "0";
  if (control === "switch") return "false";
  if (control === "json") return "null";
  return (
    field.querySelector("[data-json]")?.dataset.json ||
    field.querySelector("option[value]:not([value=''])")?.value ||
    '""'
  );
}

/** The members that an object has to have, and those with a default: a size of one's own has both sides. */
function startOfObject(box, { hasDefaults = true } = {}) {
  const members = [...box.children].filter(
    (field) => field.hasAttribute("data-required") || (hasDefaults && field.dataset.default),
  );
  return `{${members.map((field) => `${quoted(field.dataset.name)}: ${startOf(field)}`).join(", ")}}`;
}

/** Whether two JSON texts are one value: texts by what they say, all else by how it is written. */
function isSame(one, other) {
  if (one === other) return true;
  const [a, b] = [parsed(one), parsed(other)];
  return a?.type === "string" && b?.type === "string" && a.value === b.value;
}

function memberOf(node, name, source) {
  const member = node?.members?.findLast(({ key }) => key === name)?.value;
  return member && source.slice(member.start, member.end);
}

/** Say at the field what is wrong with what was typed. */
function say(field, sentence) {
  const place = [...field.querySelectorAll("[data-problem]")].find(
    (one) => one.closest("[data-name]") === field,
  );
  place.textContent = sentence;
  place.hidden = !sentence;
}
