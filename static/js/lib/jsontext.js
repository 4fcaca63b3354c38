// JSON text without losing anything: numbers keep their digits, errors get a line and a column. Pure.

/** A number whose text says more than a double can hold, such as a 64-bit seed. */
export class ExactNumber {
  constructor(source) {
    this.source = source;
  }
}

const keepDigits = (key, value, context) =>
  typeof value === "number" && context?.source !== undefined && String(value) !== context.source
    ? new ExactNumber(context.source)
    : value;

/** Parse; throws SyntaxError. Browsers without source text access show such numbers rounded. */
export const parseExact = (text) => JSON.parse(text, keepDigits);

/** null if the text is a JSON object, else {message, line, column} (counted from 1). */
export function problemOf(text) {
  if (!text.trim()) return null; // the server reads nothing as {}
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return { message: "Not JSON yet", ...lineOf(text, firstWrong(text)) };
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return { message: "The input must be a JSON object: { … }", line: 1, column: 1 };
  }
  return null;
}

/** The line and column a sentence of the server's names, null when it names none. */
export function placeOf(sentence) {
  const named = /line (\d+),? column (\d+)/.exec(sentence);
  return named && { line: Number(named[1]), column: Number(named[2]) };
}

function lineOf(text, offset) {
  const before = text.slice(0, offset).split("\n");
  return { line: before.length, column: before.at(-1).length + 1 };
}

// Browsers' own messages name a place in some versions and for some texts only, so the place is found here.
const TOKEN =
  /[ \t\n\r]*(?:(?<sign>[{}[\],:])|(?<string>"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*")|(?<scalar>-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)(?!\w)))/y;
const SPACE = /[ \t\n\r]*/y;

/** The offset of the first token that cannot stand where it stands; the text's length if it only breaks off. */
function firstWrong(text) {
  const open = []; // "{" and "["
  let wanted = "value"; // value, key, colon, next (comma or a closing sign), end
  let mayClose = false; // right after an opening sign
  for (let at = 0; ; at = TOKEN.lastIndex) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    if (!found) return skipSpace(text, at);
    const { sign, string } = found.groups;
    const start = TOKEN.lastIndex - found[0].trimStart().length;
    const closes = sign && sign === { "{": "}", "[": "]" }[open.at(-1)] && (wanted === "next" || mayClose);
    mayClose = false;
    if (closes) {
      open.pop();
      wanted = open.length ? "next" : "end";
    } else if (wanted === "value" && (sign === "{" || sign === "[")) {
      open.push(sign);
      wanted = sign === "{" ? "key" : "value";
      mayClose = true;
    } else if (wanted === "value" && !sign) wanted = open.length ? "next" : "end";
    else if (wanted === "key" && string) wanted = "colon";
    else if (wanted === "colon" && sign === ":") wanted = "value";
    else if (wanted === "next" && sign === ",") wanted = open.at(-1) === "{" ? "key" : "value";
    else return start;
  }
}

function skipSpace(text, at) {
  SPACE.lastIndex = at;
  SPACE.exec(text);
  return SPACE.lastIndex;
}

/** Where a line and column stand in the text, as an offset. */
export function offsetOf(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(text.length, before + column - 1);
}
