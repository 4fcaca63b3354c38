// <pre data-json-tree> becomes a folding tree. Branches are built when they are opened, long lists in pages, so
// that a large output stays light. Everything is a text node: nothing in the data can become markup.

import { parsed } from "./jsontext.js";

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

/** [name or index, node] of each entry; null for a leaf. Repeated names are all there. */
function entriesOf(node) {
  if (node.type === "object") return node.members.map(({ key, value }) => [key, value]);
  return node.type === "array" ? node.items.map((item, index) => [String(index), item]) : null;
}

function leaf(node) {
  if (node.type === "string") return stringLeaf(node.value);
  return span(node.type === "number" ? "number" : node.value === null ? "null" : "boolean", node.raw);
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

function summaryOf(node, count) {
  const [open, close] = node.type === "array" ? "[]" : "{}";
  return count ? `${open} ${count} ${close}` : `${open}${close}`;
}

function entry(key, node, level) {
  const item = document.createElement("li");
  const entries = entriesOf(node);
  if (entries?.length) item.append(branch(key, node, level));
  else item.append(...label(key), entries ? span("count", summaryOf(node, 0)) : leaf(node));
  return item;
}

const label = (key) => (key === null ? [] : [span("key", key), span("colon", ": ")]);

function branch(key, node, level) {
  const entries = entriesOf(node);
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  summary.append(...label(key), span("count", summaryOf(node, entries.length)));
  details.append(summary);
  const fill = () => {
    if (details.childElementCount === 1) details.append(list(entries, level + 1));
  };
  details.addEventListener("toggle", () => details.open && fill());
  if (level < OPEN_LEVELS && entries.length <= OPEN_ENTRIES) {
    fill();
    details.open = true;
  }
  return details;
}

function list(entries, level) {
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

/** The tree of a parsed text. */
export function treeOf(node) {
  const root = document.createElement("div");
  root.className = "json-tree";
  root.append(entriesOf(node) ? branch(null, node, 0) : leaf(node));
  return root;
}

/** The tree of a JSON text; null when it is none. */
export function treeOfText(text) {
  const node = parsed(text);
  return node && treeOf(node);
}

/** Turn every <pre data-json-tree> inside `root` into a tree; text that is no JSON stays as it is. */
export function growTrees(root = document) {
  for (const pre of root.querySelectorAll("pre[data-json-tree]")) {
    const tree = treeOfText(pre.textContent);
    if (!tree) continue;
    pre.hidden = true; // stays for copying
    pre.removeAttribute("data-json-tree");
    pre.after(tree);
  }
}

growTrees();
