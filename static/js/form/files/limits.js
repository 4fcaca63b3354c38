// The limits that a schema sets to a file (fal's `x-fal`), checked before a byte is sent. No elements here.

import { bytes, seconds } from "./words.js";

const number = (value) => (typeof value === "number" && Number.isFinite(value) ? value : null);

/** Also "16:9". */
function ratio(value) {
  const parts = typeof value === "string" ? /^(\d+(?:\.\d+)?)[:/](\d+(?:\.\d+)?)$/.exec(value) : null;
  return parts ? Number(parts[1]) / Number(parts[2]) : number(value);
}

// name in the schema, what is measured of the file, how it is said
/** @type {[string, (facts: import("./words.js").Facts) => number | undefined, (value: number) => string, string][]} */
const MEASURES = [
  ["file_size", ({ size }) => size, bytes, "It has"],
  ["width", ({ width }) => width, (value) => `${value} px`, "Its width is"],
  ["height", ({ height }) => height, (value) => `${value} px`, "Its height is"],
  ["area", ({ width = NaN, height = NaN }) => width * height, (value) => `${value} px²`, "Its area is"],
  [
    "aspect_ratio",
    ({ width = NaN, height = NaN }) => width / height,
    (value) => round(value),
    "Its width / height is",
  ],
  ["duration", ({ duration }) => duration, seconds, "Its length is"],
];

const round = (value) => String(Number(value.toFixed(2)));

/**
 * What a file breaks, as a sentence; empty when it keeps all limits or could not be measured.
 * @param {import("./words.js").Facts} facts
 */
export function broken(limits, facts) {
  for (const [name, measure, said, start] of MEASURES) {
    const value = number(measure(facts));
    const [least, most] = [ratio(limits[`min_${name}`]), ratio(limits[`max_${name}`])];
    if (value === null) continue;
    if (most !== null && value > most) return sentence(start, value, "at most", most, said);
    if (least !== null && value < least) return sentence(start, value, "at least", least, said);
  }
  const step = number(limits.multiple_of);
  if (step && ((facts.width ?? 0) % step || (facts.height ?? 0) % step))
    return `Width and height must be multiples of ${step}; it is ${facts.width} × ${facts.height}.`;
  return "";
}

/** "20 MB; at most 20 MB" would tell nothing: then both are said exactly. */
function sentence(start, value, bound, limit, said) {
  const exact = (number) => `${number.toLocaleString("en")}${said === bytes ? " bytes" : ""}`;
  const words = said(value) === said(limit) ? exact : said;
  return `${start} ${words(value)}; ${bound} ${words(limit)} is taken.`;
}

/** What files of a list break together. */
export function brokenTogether(limits, all) {
  const sum = (name) => all.reduce((total, facts) => total + (facts?.[name] ?? 0), 0);
  const problem = broken(limits, { size: sum("size"), duration: sum("duration") });
  return problem && `All files of this list together: ${problem}`;
}

/** What the endpoint will change of a file that it accepts; empty when nothing. */
export function changed(limits, facts) {
  const problem = broken(limits, facts);
  return problem && `The endpoint will change this file. ${problem.replace("is taken", "is kept")}`;
}
