// The platform options in the page: read from a form's fields and written as fal takes them.
//
// The table comes from the server (fal/options.py): [{name, kind, headers, query, on, usual, python, javascript}].
// A new option needs no line here, only a new kind does.

/** The page's table. */
export function optionTable() {
  return JSON.parse(document.getElementById("option-table")?.textContent ?? "[]");
}

const readers = {
  Choice: ({ value }, { usual }) => (value === usual ? undefined : value),
  Switch: ({ checked }) => checked || undefined,
  OnOff: ({ value }) => ({ yes: true, no: false })[value],
  Seconds: ({ value }) => numberOf(value, Number(value) > 0),
  Count: ({ value }) => numberOf(value, /^\d+$/.test(value.trim())),
};
const typed = ({ value }) => value.trim() || undefined;

/** What is no number stays the text it is, for the server to refuse. */
const numberOf = (text, isNumber) => (text.trim() && isNumber ? Number(text) : text.trim() || undefined);

/** The options of a form as the server reads them; `fields` are its elements by name. */
export function optionsOf(fields, table) {
  const options = {};
  for (const entry of table) {
    const field = fields[entry.name];
    const value = field && (readers[entry.kind] ?? typed)(field, entry);
    if (value !== undefined) options[entry.name] = value;
  }
  const headers = linesOf(fields.headers.value).filter(([name]) => name);
  if (headers.length) options.headers = Object.fromEntries(headers.map(([name, value]) => [name, value]));
  return options;
}

/** [[name, value, line number], …]; the name is "" where a line has none. */
function linesOf(text) {
  const lines = text.split("\n").map((line, index) => [line, index + 1]);
  return lines
    .filter(([line]) => line.trim())
    .map(([line, number]) => {
      const colon = Math.max(line.indexOf(":"), 0);
      return [line.slice(0, colon).trim(), line.slice(colon + 1).trim(), number];
    });
}

/** What is wrong with the typed headers, in the server's words; "" when nothing is. */
export function headersProblem(text) {
  const seen = new Set();
  for (const [name, , number] of linesOf(text)) {
    if (!name) return `Line ${number}: write it as name: value.`;
    if (seen.has(name.toLowerCase())) return `Line ${number}: ${name} is given twice.`;
    seen.add(name.toLowerCase());
  }
  return "";
}

const writers = {
  Switch: (value, { on }) => (value ? on : null),
  OnOff: (value) => (value ? "1" : "0"),
  Seconds: (value) => (Number(value) > 0 ? String(Number(Number(value).toFixed(3))) : null),
  Count: (value) => (Number.isInteger(value) ? String(value) : null),
};

const meanings = {
  Switch: () => true,
  OnOff: (text) => text === "1",
  Seconds: Number,
  Choice: (text) => text.toLowerCase(),
};

/** fal's own headers among the typed ones are the options they mean, as on the server. */
export function understood(options, table) {
  const meant = {};
  const own = {};
  for (const [name, text] of ownHeaders(options)) {
    const entry = table.find(({ headers, also }) =>
      [...headers, ...also].some((one) => one.toLowerCase() === name),
    );
    if (!entry) own[name] = text;
    else if (!(entry.name in meant) || entry.headers[0].toLowerCase() === name) {
      meant[entry.name] = (meanings[entry.kind] ?? String)(text);
    }
  }
  return { ...meant, ...options, headers: own };
}

/** [[entry, text], …] for the options that are set; an option that fal's default says anyway is left out. */
export function written(options, table) {
  return table.flatMap((entry) => {
    const value = options[entry.name];
    if (value === undefined || value === null) return [];
    const text = (writers[entry.kind] ?? String)(value, entry);
    return text === null ? [] : [[entry, text]];
  });
}

/** The own headers, as they are sent. */
export const ownHeaders = ({ headers = {} }) =>
  Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
