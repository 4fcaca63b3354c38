// Exact JSON: number literals, escapes and repeated names stay as they were written. Pure.
//
// `JSON.parse` rounds long numbers and drops repeated names, so no text that is sent or that came from fal goes
// through it. `parse` makes a tree of nodes with their places in the text; `format` changes white space only. Edits at a
// JSON pointer are in jsonedit.js.
//
//   object   {type, start, end, members: [{key, keyStart, keyEnd, value}]}   repeated names are all there
//   array    {type, start, end, items}
//   string   {type, start, end, raw, value}
//   number   {type, start, end, raw}                                          the literal, never a double
//   literal  {type, start, end, raw, value}                                   true, false, null

import { JsonError, lineOf, scan, skipSpace } from "./jsonscan.js";

const WORDS = { true: true, false: false, null: null };
const ESCAPE = /\\(?:u([\da-fA-F]{4})|(.))/g;
const ESCAPED = { b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const OPENING = { "}": "{", "]": "[" };
const DEEPEST_PLAIN = 500; // levels: plain values are made and read by recursion

export { JsonError };

// --- the tree ---------------------------------------------------------------------------------

/** The tree of a text. Throws JsonError. */
export function parse(text) {
  const open = [];
  let root;
  const put = (node) => {
    const parent = open.at(-1);
    if (!parent) root = node;
    else if (parent.type === "array") parent.items.push(node);
    else parent.members.at(-1).value = node;
  };
  scan(text, (kind, start, end) => {
    if (kind === "}" || kind === "]") open.pop().end = end;
    else if (kind === "key") {
      open.at(-1).members.push({ key: textIn(text, start, end), keyStart: start, keyEnd: end, value: null });
    } else if (kind !== ":" && kind !== ",") {
      const node = nodeOf(text, kind, start, end);
      put(node);
      if (kind === "{" || kind === "[") open.push(node);
    }
  });
  return root;
}

function nodeOf(text, kind, start, end) {
  if (kind === "{") return { type: "object", start, end, members: [] };
  if (kind === "[") return { type: "array", start, end, items: [] };
  const raw = text.slice(start, end);
  if (kind === "number") return { type: "number", start, end, raw };
  if (kind === "string") return { type: "string", start, end, raw, value: textIn(text, start, end) };
  return { type: "literal", start, end, raw, value: WORDS[raw] };
}

/** What a string literal says. */
function textIn(text, start, end) {
  const inner = text.slice(start + 1, end - 1);
  if (!inner.includes("\\")) return inner;
  return inner.replace(ESCAPE, (_, hex, sign) =>
    hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (ESCAPED[sign] ?? sign),
  );
}

/** The tree of a text; null when it is no JSON. */
export function parsed(text) {
  try {
    return parse(text);
  } catch (error) {
    if (error instanceof JsonError) return null;
    throw error;
  }
}

/**
 * A plain value, to look something up in: numbers are doubles, the last of repeated names counts, what is nested
 * deeper than 500 levels is undefined. Never to be shown or sent.
 */
export function plain(node, levels = DEEPEST_PLAIN) {
  if (node === null || levels === 0) return undefined;
  if (node.type === "array") return node.items.map((item) => plain(item, levels - 1));
  if (node.type === "object") {
    return Object.fromEntries(node.members.map(({ key, value }) => [key, plain(value, levels - 1)]));
  }
  return node.type === "number" ? Number(node.raw) : node.value;
}

/** The plain value of a text; undefined when it is no JSON. */
export const plainOf = (text) => (typeof text === "string" ? plain(parsed(text)) : undefined);

// --- white space ------------------------------------------------------------------------------

/** The same tokens, indented. Throws JsonError. */
export function format(text, indent = "  ") {
  const parts = [];
  let depth = 0;
  let last = "";
  const line = () => parts.push("\n", indent.repeat(depth));
  scan(text, (kind, start, end) => {
    const closes = kind === "}" || kind === "]";
    if (closes) depth -= 1;
    if (closes ? last !== OPENING[kind] : last === "{" || last === "[" || last === ",") line();
    parts.push(text.slice(start, end));
    if (kind === ":") parts.push(" ");
    if (kind === "{" || kind === "[") depth += 1;
    last = kind;
  });
  return parts.join("");
}

/** Indented, or as it is when it is no JSON. */
export function formatted(text) {
  try {
    return format(text);
  } catch (error) {
    if (error instanceof JsonError) return text;
    throw error;
  }
}

// --- what the server would refuse ---------------------------------------------------------------

/** null if the text is an input the server takes, else {message, line, column}. A message may be of any type. */
export function problemOf(text, { anyType = false } = {}) {
  if (skipSpace(text, 0) === text.length) return null; // the server reads nothing as {}
  try {
    const root = parse(text);
    if (anyType || root.type === "object") return repeatedName(text, root);
    return { message: "The input must be a JSON object: { … }", line: 1, column: 1 };
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    return { message: "Not JSON yet", reason: error.message, line: error.line, column: error.column };
  }
}

function repeatedName(text, root) {
  const waiting = [root];
  while (waiting.length) {
    const node = waiting.pop();
    const seen = new Set();
    for (const { key, keyStart, value } of node.members ?? []) {
      if (seen.has(key))
        return { message: `The name ${JSON.stringify(key)} stands twice`, ...lineOf(text, keyStart) };
      seen.add(key);
      if (value.members || value.items) waiting.push(value);
    }
    for (const item of node.items ?? []) if (item.members || item.items) waiting.push(item);
  }
  return null;
}

// --- places -----------------------------------------------------------------------------------

/** Where a line and column stand in the text, as an offset. */
export function offsetOf(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(text.length, before + column - 1);
}

/** The line and column a sentence of the server names, null when it names none. */
export function placeOf(sentence) {
  const named = /line (\d+),? column (\d+)/.exec(sentence);
  return named && { line: Number(named[1]), column: Number(named[2]) };
}
