// What will be sent, and the same as code for fal's own clients. Pure: text in, text out.
//
// A request is {endpoint, mode: queue|run|stream, input: JSON text, options}; the site is {runUrl, queueUrl, table},
// with the table of platform options. The JSON text is never parsed and written again, so that long numbers keep
// their digits.

import { ownHeaders, understood, written } from "./options.js";

import { plainOf } from "./jsontext.js";

const JSON_TOKENS = /"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/gs;
const PYTHON_WORDS = { true: "True", false: "False", null: "None" };

/** {url, headers: [[name, value], …], body} of the one POST. The key is shown as $FAL_KEY. */
export function wireOf({ endpoint, mode, input, options }, { runUrl, queueUrl, table }) {
  const path = mode === "stream" && !endpoint.endsWith("/stream") ? `${endpoint}/stream` : endpoint;
  const query = queryOf(options, table);
  return {
    url: mode === "queue" ? `${queueUrl}/${path}${query}` : `${runUrl}/${path}`,
    headers: [
      ["Authorization", "Key $FAL_KEY"],
      ["Content-Type", "application/json"],
      ...(mode === "stream" ? [["Accept", "text/event-stream"]] : []),
      ...platformHeaders(options, table),
    ],
    body: input.trim() || "{}",
  };
}

/** The options as the headers they become. */
export function platformHeaders(options, table) {
  const clear = understood(options, table);
  return [...written(clear, table).flatMap(headersOf), ...ownHeaders(clear)];
}

const headersOf = ([{ headers }, text]) => headers.map((name) => [name, text]);

function queryOf(options, table) {
  const pairs = written(understood(options, table), table).filter(([{ query }]) => query);
  return pairs.length ? `?${new URLSearchParams(pairs.map(([{ query }, text]) => [query, text]))}` : "";
}

/** The whole message, as it goes over the wire. */
export function httpOf(request, site) {
  const { url, headers, body } = wireOf(request, site);
  return [`POST ${url}`, ...headers.map(([name, value]) => `${name}: ${value}`), "", body].join("\n");
}

export function curlOf(request, site) {
  const { url, headers, body } = wireOf(request, site);
  const flags = headers.map(([name, value]) =>
    name === "Authorization" ? `-H "${name}: ${value}"` : `-H ${shell(`${name}: ${value}`)}`,
  );
  const start = request.mode === "stream" ? "curl -N -X POST" : "curl -X POST";
  return [`${start} ${shell(url)}`, ...flags, `--data-raw ${shell(body)}`].join(" \\\n  ");
}

const shell = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** The options for one of fal's clients: named arguments where it has them, headers for the rest. */
function splitFor(client, { mode, options: given }, table) {
  const options = understood(given, table);
  const named = [];
  const headers = [];
  const missing = [];
  for (const [entry, text] of written(options, table)) {
    const argument = entry[client];
    const value = options[entry.name];
    if (argument?.modes.includes(mode) && (argument.above === null || value > argument.above)) {
      named.push([argument.name, JSON.stringify(value)]);
    } else if (entry.query) missing.push(`${entry.query}=${text}`);
    else headers.push(...entry.headers.map((name) => [name, text]));
  }
  return { named, headers: [...headers, ...ownHeaders(options)], missing: mode === "queue" ? missing : [] };
}

const noArgument = (sign, missing) =>
  missing.map((pair) => `${sign} This client has no argument for the query parameter ${pair}.\n`).join("");

export function pythonOf(request, { table }) {
  const { endpoint, mode, input } = request;
  const { named, headers, missing } = splitFor("python", request, table);
  const lines = [JSON.stringify(endpoint), `arguments=${indent(pythonOfJson(input.trim() || "{}"))}`];
  lines.push(...named.map(([name, value]) => `${name}=${value}`));
  if (headers.length) lines.push(`headers=${indent(JSON.stringify(Object.fromEntries(headers), null, 4))}`);
  const call = (name) => `fal_client.${name}(\n${lines.map((line) => `    ${line},\n`).join("")})`;
  const head = `import fal_client  # reads FAL_KEY from the environment\n\n${noArgument("#", missing)}`;
  if (mode === "stream") return `${head}for event in ${call("stream")}:\n    print(event)\n`;
  return `${head}result = ${call(mode === "run" ? "run" : "subscribe")}\nprint(result)\n`;
}

/** A JSON text as a Python literal. Escapes are resolved: a Python string does not join surrogate pairs. */
function pythonOfJson(text) {
  return text.replace(JSON_TOKENS, (token) => PYTHON_WORDS[token] ?? plainString(token));
}

function plainString(token) {
  return JSON.stringify(plainOf(token)) ?? token; // half typed
}

const indent = (text) => text.replaceAll("\n", "\n    ");

export function javascriptOf(request, { table }) {
  const { endpoint, mode, input } = request;
  const { lines, setup } = javascriptOptions(request, table);
  const args = [`input: ${input.trim() || "{}"}`, ...lines]
    .map((line) => `  ${line.replaceAll("\n", "\n  ")},\n`)
    .join("");
  const call = (name) => `await fal.${name}(${JSON.stringify(endpoint)}, {\n${args}})`;
  const head = `import { fal } from "@fal-ai/client"; // reads FAL_KEY from the environment\n${setup}\n`;
  if (mode === "stream") {
    return `${head}const stream = ${call("stream")};\nfor await (const event of stream) console.log(event);\n`;
  }
  return `${head}const { data } = ${call(mode === "run" ? "run" : "subscribe")};\nconsole.log(data);\n`;
}

/** fal.run and fal.stream take no headers: there a middleware adds them. */
function javascriptOptions(request, table) {
  const { named, headers, missing } = splitFor("javascript", request, table);
  const lines = named.map(([name, value]) => `${name}: ${value}`);
  const note = noArgument("//", missing);
  if (!headers.length) return { lines, setup: note };
  const object = JSON.stringify(Object.fromEntries(headers), null, 2);
  if (request.mode === "queue") return { lines: [...lines, `headers: ${object}`], setup: note };
  return {
    lines,
    setup: `\nconst headers = ${object};\nfal.config({\n  requestMiddleware: async (request) => ({ ...request, headers: { ...request.headers, ...headers } }),\n});\n`,
  };
}
