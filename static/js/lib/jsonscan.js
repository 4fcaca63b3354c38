// The tokens of a JSON text, each at its place; what is no JSON is an error with line and column. Pure.
//
// Written out instead of one regular expression: a text in quotes may be megabytes long.

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.+-])/y;
const WORD = /(?:true|false|null)(?![\w.+-])/y;
/** @type {[string, RegExp][]} */
const SCALARS = [
  ["number", NUMBER],
  ["literal", WORD],
];
const HEX = /[\da-fA-F]{4}/y;
const CLOSING = { "{": "}", "[": "]" };
const SENTENCES = {
  value: "A value is expected",
  key: "A name in double quotes is expected",
  colon: "A colon is expected",
  next: "A comma or the end is expected",
  end: "Something follows the end",
};

/** The text is not JSON: what is wrong, and where (line and column count from 1). */
export class JsonError extends Error {
  constructor(message, text, offset) {
    super(message);
    this.name = "JsonError";
    this.offset = offset;
    const { line, column } = lineOf(text, offset);
    this.line = line;
    this.column = column;
  }
}

/** Call `take(kind, start, end)` for each token; kind: one of `{}[],:`, "key", "string", "number", "literal". */
export function scan(text, take) {
  const open = []; // "{" and "["
  let wanted = "value"; // value, key, colon, next (comma or a closing sign), end
  let mayClose = false; // right after an opening sign
  for (let at = skipSpace(text, 0); at < text.length; at = skipSpace(text, at)) {
    const sign = text[at];
    const start = at;
    let kind = sign;
    const closes = open.length && sign === CLOSING[open.at(-1)] && (wanted === "next" || mayClose);
    if (closes) {
      open.pop();
      wanted = open.length ? "next" : "end";
      at += 1;
    } else if (wanted === "value" && (sign === "{" || sign === "[")) {
      open.push(sign);
      wanted = sign === "{" ? "key" : "value";
      at += 1;
    } else if (wanted === "value") {
      [kind, at] = scalar(text, at);
      wanted = open.length ? "next" : "end";
    } else if (wanted === "key" && sign === '"') {
      [kind, at] = ["key", endOfString(text, at)];
      wanted = "colon";
    } else if (wanted === "colon" && sign === ":") {
      wanted = "value";
      at += 1;
    } else if (wanted === "next" && sign === ",") {
      wanted = open.at(-1) === "{" ? "key" : "value";
      at += 1;
    } else throw new JsonError(SENTENCES[wanted], text, at);
    mayClose = !closes && (kind === "{" || kind === "[");
    take(kind, start, at);
  }
  if (wanted !== "end") throw new JsonError("The text ends too early", text, text.length);
}

function scalar(text, at) {
  if (text[at] === '"') return ["string", endOfString(text, at)];
  for (const [kind, pattern] of SCALARS) {
    pattern.lastIndex = at;
    if (pattern.test(text)) return [kind, pattern.lastIndex];
  }
  throw new JsonError(SENTENCES.value, text, at);
}

function endOfString(text, start) {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === 34) return at + 1;
    if (code < 32) throw new JsonError("A line break or tab in a text is written \\n or \\t", text, at);
    if (code === 92) at = endOfEscape(text, at);
  }
  throw new JsonError("The text in quotes does not end", text, start);
}

function endOfEscape(text, at) {
  const sign = text[at + 1];
  if (sign !== "u") {
    if (sign && '"\\/bfnrt'.includes(sign)) return at + 1;
    throw new JsonError("There is no such escape", text, at);
  }
  HEX.lastIndex = at + 2;
  if (!HEX.test(text)) throw new JsonError("\\u is followed by four hex digits", text, at);
  return at + 5;
}

/** The offset of the next sign that is no white space. */
export function skipSpace(text, at) {
  while (at < text.length && isSpace(text.charCodeAt(at))) at += 1;
  return at;
}

const isSpace = (code) => code === 32 || code === 10 || code === 13 || code === 9;

/** The line and column of an offset, both counted from 1. */
export function lineOf(text, offset) {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: before.at(-1).length + 1 };
}
