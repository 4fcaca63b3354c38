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

/** null if the text is a JSON object, else {message, line, column} (counted from 1; null when unknown). */
export function problemOf(text) {
  if (!text.trim()) return null; // the server reads nothing as {}
  let value;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { message: "Not JSON yet", ...placeOf(error.message, text) };
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    return { message: "The input must be a JSON object: { … }", line: 1, column: 1 };
  }
  return null;
}

/** The line and column an error message speaks of, in any browser's or our server's words. */
export function placeOf(message, text) {
  const named = /line (\d+),? column (\d+)/.exec(message);
  if (named) return { line: Number(named[1]), column: Number(named[2]) };
  const counted = /position (\d+)/.exec(message);
  const at = counted ? Number(counted[1]) : /end of (JSON|data)|Unterminated/i.test(message) ? text.length : null;
  if (at === null) return { line: null, column: null };
  const before = text.slice(0, at).split("\n");
  return { line: before.length, column: before.at(-1).length + 1 };
}

/** Where a line and column stand in the text, as an offset. */
export function offsetOf(text, line, column) {
  const lines = text.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
  return Math.min(text.length, before + column - 1);
}
