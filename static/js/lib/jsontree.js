// <pre data-json-tree> becomes a folding tree. Branches are built when they are opened, long lists in pages, so
// that a large output stays light. Everything is a text node: nothing in the data can become markup.

import { ExactNumber, parseExact } from "./jsontext.js";

const PAGE = 100; // entries of one branch shown at once
const OPEN_ENTRIES = 40; // a branch with fewer entries starts open, up to OPEN_LEVELS
const OPEN_LEVELS = 2;
const LONG_STRING = 400; // characters shown before "more"

function span(kind, text) {
  const element = document.createElement("span");
  element.className = `json-${kind}`;
  element.textContent = text;
  return element;
}

const isBranch = (value) => value !== null && typeof value === "object" && !(value instanceof ExactNumber);

function leaf(value) {
  if (value instanceof ExactNumber) return span("number", value.source);
  if (typeof value === "string") return stringLeaf(value);
  return span(value === null ? "null" : typeof value, String(value));
}

function stringLeaf(value) {
  const text = JSON.stringify(value);
  if (text.length <= LONG_STRING) return span("string", text);
  const whole = span("string", `${text.slice(0, LONG_STRING)}…`);
  const more = moreButton("more", () => {
    whole.textContent = text;
    more.remove();
  });
  const both = document.createElement("span");
  both.append(whole, " ", more);
  return both;
}

function moreButton(word, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "json-more";
  button.textContent = word;
  button.addEventListener("click", act);
  return button;
}

function summaryOf(value) {
  const count = Array.isArray(value) ? value.length : Object.keys(value).length;
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  return count ? `${open} ${count} ${close}` : `${open}${close}`;
}

function entry(key, value, level) {
  const item = document.createElement("li");
  if (isBranch(value) && Object.keys(value).length) item.append(branch(key, value, level));
  else item.append(...label(key), isBranch(value) ? span("count", summaryOf(value)) : leaf(value));
  return item;
}

const label = (key) => (key === null ? [] : [span("key", key), span("colon", ": ")]);

function branch(key, value, level) {
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(...label(key), span("count", summaryOf(value)));
  details.append(summary);
  const fill = () => {
    if (details.childElementCount === 1) details.append(list(value, level + 1));
  };
  details.addEventListener("toggle", () => details.open && fill());
  if (level < OPEN_LEVELS && Object.keys(value).length <= OPEN_ENTRIES) {
    fill();
    details.open = true;
  }
  return details;
}

function list(value, level) {
  const entries = Object.entries(value);
  const root = document.createElement("ul");
  let shown = 0;
  const page = () => {
    for (const [key, child] of entries.slice(shown, shown + PAGE)) root.append(entry(key, child, level));
    shown = Math.min(entries.length, shown + PAGE);
    if (shown < entries.length) root.append(nextPage(entries.length - shown, page));
  };
  page();
  return root;
}

function nextPage(left, page) {
  const item = document.createElement("li");
  item.append(
    moreButton(`${left} more`, () => {
      item.remove();
      page();
    }),
  );
  return item;
}

/** The tree of a value. */
export function treeOf(value) {
  const root = document.createElement("div");
  root.className = "json-tree";
  root.append(isBranch(value) ? branch(null, value, 0) : leaf(value));
  return root;
}

/** Turn every <pre data-json-tree> inside `root` into a tree; text that is no JSON stays as it is. */
export function growTrees(root = document) {
  for (const pre of root.querySelectorAll("pre[data-json-tree]")) {
    let value;
    try {
      value = parseExact(pre.textContent);
    } catch {
      continue;
    }
    pre.hidden = true; // stays for copying
    pre.removeAttribute("data-json-tree");
    pre.after(treeOf(value));
  }
}

growTrees();
