// What will be sent, and the same as code for fal's own clients. Pure: text in, text out.
//
// A request is {endpoint, mode: queue|run|stream, input: JSON text, options}; options as the server knows them:
// priority, start_timeout, no_retry, store_io, runner_hint, headers. The JSON text is never parsed and written
// again, so that long numbers keep their digits.

import { plainOf } from "./jsontext.js";

const JSON_TOKENS = /"(?:[^"\\]|\\.)*"|\b(?:true|false|null)\b/gs;
const PYTHON_WORDS = { true: "True", false: "False", null: "None" };
// The clients refuse shorter ones by their own rule; the header itself may say less.
const CLIENTS_SHORTEST_TIMEOUT_S = 1;

/** {url, headers: [[name, value], …], body} of the one POST. The key is shown as $FAL_KEY. */
export function wireOf({ endpoint, mode, input, options }, { runUrl, queueUrl }) {
  const path = mode === "stream" && !endpoint.endsWith("/stream") ? `${endpoint}/stream` : endpoint;
  return {
    url: `${mode === "queue" ? queueUrl : runUrl}/${path}`,
    headers: [
      ["Authorization", "Key $FAL_KEY"],
      ["Content-Type", "application/json"],
      ...(mode === "stream" ? [["Accept", "text/event-stream"]] : []),
      ...platformHeaders(options),
    ],
    body: input.trim() || "{}",
  };
}

/** The options as the headers they become. */
export function platformHeaders(options) {
  return [...timeoutHeaders(options), ...priorityHeaders(options), ...hintHeaders(options), ...otherHeaders(options)];
}

const timeoutHeaders = ({ start_timeout: seconds }) => {
  if (seconds === undefined) return [];
  const text = String(Number(Number(seconds).toFixed(3)));
  return [["X-Fal-Request-Start-Timeout", text], ["X-Fal-Request-Timeout", text]];
};
const priorityHeaders = ({ priority }) => (priority ? [["X-Fal-Queue-Priority", priority]] : []);
const hintHeaders = ({ runner_hint: hint }) => (hint ? [["X-Fal-Runner-Hint", hint]] : []);
const otherHeaders = ({ no_retry: noRetry, store_io: storeIo, headers = {} }) => [
  ...(noRetry ? [["X-Fal-No-Retry", "1"]] : []),
  ...(storeIo === undefined ? [] : [["X-Fal-Store-IO", storeIo ? "1" : "0"]]),
  ...Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
];

/** The whole message, as it goes over the wire. */
export function httpOf(request, hosts) {
  const { url, headers, body } = wireOf(request, hosts);
  return [`POST ${url}`, ...headers.map(([name, value]) => `${name}: ${value}`), "", body].join("\n");
}

export function curlOf(request, hosts) {
  const { url, headers, body } = wireOf(request, hosts);
  const flags = headers.map(([name, value]) =>
    name === "Authorization" ? `-H "${name}: ${value}"` : `-H ${shell(`${name}: ${value}`)}`,
  );
  const start = request.mode === "stream" ? "curl -N -X POST" : "curl -X POST";
  return [`${start} ${shell(url)}`, ...flags, `--data-raw ${shell(body)}`].join(" \\\n  ");
}

const shell = (text) => `'${text.replaceAll("'", String.raw`'\''`)}'`;

export function pythonOf(request) {
  const { endpoint, mode, input } = request;
  const lines = [JSON.stringify(endpoint), `arguments=${indent(pythonOfJson(input.trim() || "{}"))}`, ...pythonOptions(request)];
  const call = (name) => `fal_client.${name}(\n${lines.map((line) => `    ${line},\n`).join("")})`;
  const head = "import fal_client  # reads FAL_KEY from the environment\n\n";
  if (mode === "stream") return `${head}for event in ${call("stream")}:\n    print(event)\n`;
  return `${head}result = ${call(mode === "run" ? "run" : "subscribe")}\nprint(result)\n`;
}

/** Named arguments where fal_client has them, headers for the rest. */
function pythonOptions({ mode, options }) {
  const named = [];
  const headers = [...otherHeaders(options)];
  const put = (has, name, value, asHeaders) => {
    if (!asHeaders.length) return;
    if (has) named.push(`${name}=${value}`);
    else headers.unshift(...asHeaders);
  };
  const { priority, start_timeout: seconds, runner_hint: hint } = options;
  put(mode === "queue", "priority", JSON.stringify(priority), priorityHeaders(options));
  put(mode !== "stream" && seconds > CLIENTS_SHORTEST_TIMEOUT_S, "start_timeout", seconds, timeoutHeaders(options));
  put(mode !== "stream", "hint", JSON.stringify(hint), hintHeaders(options));
  if (headers.length) named.push(`headers=${indent(JSON.stringify(Object.fromEntries(headers), null, 4))}`);
  return named;
}

/** A JSON text as a Python literal. Escapes are resolved: a Python string does not join surrogate pairs. */
export function pythonOfJson(text) {
  return text.replace(JSON_TOKENS, (token) => PYTHON_WORDS[token] ?? plainString(token));
}

function plainString(token) {
  return JSON.stringify(plainOf(token)) ?? token; // half typed
}

const indent = (text) => text.replaceAll("\n", "\n    ");

export function javascriptOf(request) {
  const { endpoint, mode, input } = request;
  const { lines, setup } = javascriptOptions(request);
  const args = [`input: ${input.trim() || "{}"}`, ...lines].map((line) => `  ${line.replaceAll("\n", "\n  ")},\n`).join("");
  const call = (name) => `await fal.${name}(${JSON.stringify(endpoint)}, {\n${args}})`;
  const head = `import { fal } from "@fal-ai/client"; // reads FAL_KEY from the environment\n${setup}\n`;
  if (mode === "stream") {
    return `${head}const stream = ${call("stream")};\nfor await (const event of stream) console.log(event);\n`;
  }
  return `${head}const { data } = ${call(mode === "run" ? "run" : "subscribe")};\nconsole.log(data);\n`;
}

/** fal.run and fal.stream take no headers: there a middleware adds them. */
function javascriptOptions({ mode, options }) {
  const lines = [];
  const headers = [...otherHeaders(options)];
  const { priority, start_timeout: seconds, runner_hint: hint } = options;
  if (priority && mode === "queue") lines.push(`priority: ${JSON.stringify(priority)}`);
  else headers.unshift(...priorityHeaders(options));
  if (seconds > CLIENTS_SHORTEST_TIMEOUT_S && mode !== "stream") lines.push(`startTimeout: ${seconds}`);
  else headers.unshift(...timeoutHeaders(options));
  if (hint && mode === "queue") lines.push(`hint: ${JSON.stringify(hint)}`);
  else headers.unshift(...hintHeaders(options));
  if (!headers.length) return { lines, setup: "" };
  const object = JSON.stringify(Object.fromEntries(headers), null, 2);
  if (mode === "queue") return { lines: [...lines, `headers: ${object}`], setup: "" };
  return {
    lines,
    setup: `\nconst headers = ${object};\nfal.config({\n  requestMiddleware: async (request) => ({ ...request, headers: { ...request.headers, ...headers } }),\n});\n`,
  };
}
