// What each control shows of a JSON node, and which JSON text it stands for.
//
// `show(field, node, text)`: node is undefined when the value is not set. `read(field, target)` gives JSON text,
// undefined for "not set", or null for something that cannot be sent yet.

import { parsed } from "../lib/jsontext.js";
import { showFile } from "./files/preview.js";

const quoted = (value) => JSON.stringify(value);
const inputOf = (field) => field.querySelector("[data-input]");
const textOf = (node, text) => (node.type === "string" ? node.value : text.slice(node.start, node.end));

const NUMBER = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;

/** Set the value only if it differs: setting it moves the caret. */
function setValue(input, value) {
  if (input.value !== value) input.value = value;
}

const text = {
  show(field, node, source) {
    setValue(inputOf(field), node ? textOf(node, source) : "");
  },
  read(field) {
    const { value } = inputOf(field);
    return value === "" && !field.hasAttribute("data-required") ? undefined : quoted(value);
  },
};

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
    const raw = node ? textOf(node, source) : "";
    if (document.activeElement !== input) setValue(input, raw);
    const slider = field.querySelector("[data-slider]");
    if (slider) slider.value = raw || field.dataset.default || slider.min;
  },
  read(field, target) {
    if (target.matches("[data-slider]")) {
      inputOf(field).value = target.value;
      return target.value;
    }
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
    if (document.activeElement !== input) setValue(input, node ? textOf(node, source) : "");
  },
  read(field) {
    const { value } = inputOf(field);
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
    field.querySelector("[data-object]").hidden = !isCustom;
  },
  read(field) {
    const { value } = inputOf(field);
    return value === "custom" ? startOfObject(field.querySelector("[data-object]")) : value || undefined;
  },
};

const checkboxes = {
  show(field, node, source) {
    const chosen = (node?.items ?? []).map((item) => source.slice(item.start, item.end));
    for (const box of field.querySelectorAll("[data-json]")) box.checked = chosen.includes(box.dataset.json);
  },
  read(field) {
    const chosen = [...field.querySelectorAll("[data-json]:checked")].map((box) => box.dataset.json);
    return chosen.length || field.hasAttribute("data-required") ? `[${chosen.join(", ")}]` : undefined;
  },
};

const color = {
  show(field, node, source) {
    const parts = "rgb".split("").map((name) => Number(memberOf(node, name, source) ?? 0));
    const hex = `#${parts.map((part) => Math.min(255, Math.max(0, part)).toString(16).padStart(2, "0")).join("")}`;
    inputOf(field).value = hex;
    field.querySelector("[data-state]").textContent = node ? hex : "not set";
  },
  read(field) {
    const [r, g, b] = [1, 3, 5].map((at) => Number.parseInt(inputOf(field).value.slice(at, at + 2), 16));
    return `{"r": ${r}, "g": ${g}, "b": ${b}}`;
  },
};

const json = {
  show(field, node, source) {
    const input = inputOf(field);
    if (document.activeElement !== input) setValue(input, node ? source.slice(node.start, node.end) : "");
  },
  read(field) {
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
  if (control === "object" || control === "size") return startOfObject(field.querySelector("[data-object]"));
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

/** The members that an object has to have, and those with a default of their own. */
function startOfObject(box) {
  const members = [...box.children].filter(
    (field) => field.hasAttribute("data-required") || field.dataset.default,
  );
  return `{${members.map((field) => `${quoted(field.dataset.name)}: ${startOf(field)}`).join(", ")}}`;
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
