// The platform options in the page: read from a form's fields and written as fal takes them.
//
// The table comes from the server (fal/options.py): [{name, kind, headers, query, on, usual, python, javascript}].
// A new option needs no line here, only a new kind does.

/** The page's table. */
export function optionTable() {
  return JSON.parse(document.getElementById("option-table").textContent);
}

const readers = {
  Choice: ({ value }, { usual }) => (value === usual ? undefined : value),
  Switch: ({ checked }) => checked || undefined,
  OnOff: ({ value }) => ({ yes: true, no: false })[value],
  Seconds: ({ value }) => (Number(value) > 0 ? Number(value) : undefined),
  Count: ({ value }) => (/^\d+$/.test(value.trim()) ? Number(value) : undefined),
};
const typed = ({ value }) => value.trim() || undefined;

/** The options of a form as the server reads them; `fields` are its elements by name. */
export function optionsOf(fields, table) {
  const options = {};
  for (const entry of table) {
    const field = fields[entry.name];
    const value = field && (readers[entry.kind] ?? typed)(field, entry);
    if (value !== undefined) options[entry.name] = value;
  }
  const headers = fields.headers.value.split("\n").flatMap(headerOf);
  if (headers.length) options.headers = Object.fromEntries(headers);
  return options;
}

function headerOf(line) {
  const colon = line.indexOf(":");
  return colon > 0 ? [[line.slice(0, colon).trim(), line.slice(colon + 1).trim()]] : [];
}

const writers = {
  Switch: (value, { on }) => (value ? on : null),
  OnOff: (value) => (value ? "1" : "0"),
  Seconds: (value) => String(Number(Number(value).toFixed(3))),
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
    const entry = table.find(({ headers, also }) => [...headers, ...also].some((one) => one.toLowerCase() === name));
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
export const ownHeaders = ({ headers = {} }) => Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
