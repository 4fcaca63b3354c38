// What of a value may be shown as a picture, a player or a link. Pure; display/media.py says the same for what the
// server renders, and tests/display/media_cases.json is the table that both are tested by.
//
// `sources` are those of the page's Content-Security-Policy: https://host, https://*.host, with a port if needed.

const MAX_DATA_URI = 2 * 1024 * 1024; // characters
const MAX_EVENT = 32 * 1024 * 1024; // characters of a stream's event; the server reads no longer one
const MAX_MEDIA = 100;
const MAX_DEPTH = 32;
const MAX_NODES = 100_000;

const KINDS = {
  image: ["image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"],
  video: ["video/mp4", "video/webm", "video/quicktime"],
  audio: ["audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg", "audio/mp4", "audio/flac"],
};
const ALIASES = { "image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/wave": "audio/wav" };
const BY_ENDING = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  webp: "image/webp",
  gif: "image/gif",
  avif: "image/avif",
  mp4: "video/mp4",
  m4v: "video/mp4",
  webm: "video/webm",
  mov: "video/quicktime",
  mp3: "audio/mpeg",
  wav: "audio/wav",
  ogg: "audio/ogg",
  oga: "audio/ogg",
  m4a: "audio/mp4",
  flac: "audio/flac",
};
const TELLS_NOTHING = ["", "application/octet-stream", "binary/octet-stream"];
const DATA_URI = /^data:([a-z]+\/[a-z0-9.+-]+);base64,[A-Za-z0-9+/]+={0,2}$/i;
// Parsers disagree about everything that is not plain visible ASCII, so nothing else passes: no user name, no escapes
// in the host. Scheme, host, port, path.
const PLAIN_URL = /^(https?):\/\/([a-z0-9._-]+)(?::(\d{0,5}))?((?:[/?#][!#-;=?-[\]_a-z~]{0,2048})?)$/i;
const SOURCE = /^(https?):\/\/(\*|(?:\*\.)?[a-z0-9._-]+)(?::(\d{1,5}|\*))?$/i;
const STANDARD_PORTS = { http: 80, https: 443 };

/** The sources of this page. */
export const pageSources = () => (document.body.dataset.mediaHosts ?? "").split(" ").filter(Boolean);

/** The addresses of the pictures in a stream's event, in its order; an inline one may fill the event. */
export const picturesIn = (value, sources) =>
  findMedia(value, sources, MAX_EVENT)
    .filter(({ kind }) => kind === "image")
    .map(({ url }) => url);

/** Every medium in a parsed value, in its order, each address once: [{kind, url, path}]. */
export function findMedia(value, sources, maxDataUri = MAX_DATA_URI) {
  const found = new Map();
  const stack = [["", value, 0]];
  for (let seen = 0; seen < MAX_NODES && found.size < MAX_MEDIA; seen += 1) {
    const next = stack.pop();
    if (!next) break;
    const [path, node, depth] = next;
    const medium = mediumAt(path, node, sources, maxDataUri);
    if (medium && !found.has(medium.url)) found.set(medium.url, medium);
    if (depth < MAX_DEPTH)
      stack.push(
        ...childrenOf(path, node)
          .reverse()
          .map((child) => [...child, depth + 1]),
      );
  }
  return [...found.values()];
}

function childrenOf(path, node) {
  if (Array.isArray(node)) return node.slice(0, MAX_NODES).map((child, at) => [`${path}[${at}]`, child]);
  if (node === null || typeof node !== "object") return [];
  return Object.entries(node).map(([key, child]) => [path ? `${path}.${key}` : key, child]);
}

/** A file object ({"url": …, "content_type": …}) comes before the bare address inside it. */
function mediumAt(path, node, sources, maxDataUri) {
  const url = typeof node === "string" ? node : isObject(node) ? node.url : undefined;
  if (typeof url !== "string" || !isShowable(url, sources, maxDataUri)) return null;
  return {
    kind: kindOf(contentTypeOf(url, isObject(node) ? node.content_type : undefined), path),
    url,
    path,
  };
}

const isObject = (node) => node !== null && typeof node === "object" && !Array.isArray(node);

/** May the page point to this address? */
export function isShowable(url, sources, maxDataUri = MAX_DATA_URI) {
  if (isData(url)) return url.length <= maxDataUri && kindOfType(typeOfData(url)) !== undefined;
  const parts = PLAIN_URL.exec(url);
  return parts !== null && sources.some((source) => isOn(originOf(parts), source));
}

const isData = (url) => /^data:/i.test(url);

/** @param {string[]} parts of PLAIN_URL or SOURCE */
function originOf([, scheme, host, port]) {
  const name = scheme.toLowerCase();
  return { scheme: name, host: host.toLowerCase(), port: port ? Number(port) : STANDARD_PORTS[name] };
}

/** As the browser's policy matches: http://host covers https://host too, on their usual ports. */
function isOn(url, source) {
  const parts = SOURCE.exec(source);
  if (!parts) return false;
  const wanted = originOf(parts);
  const isSecured = wanted.scheme === "http" && url.scheme === "https";
  if (url.scheme !== wanted.scheme && !isSecured) return false;
  const isPort = isSecured ? wanted.port === 80 && url.port === 443 : wanted.port === url.port;
  return (isPort || parts[3] === "*") && isHost(url.host, wanted.host);
}

const isHost = (name, pattern) =>
  pattern === "*" ||
  (pattern.startsWith("*.")
    ? name.endsWith(pattern.slice(1)) && name.length >= pattern.length
    : name === pattern);

const typeOfData = (url) => normal(DATA_URI.exec(url)?.[1] ?? "");
const normal = (type) => ALIASES[type.toLowerCase()] ?? type.toLowerCase();
const kindOfType = (type) => Object.keys(KINDS).find((kind) => KINDS[kind].includes(type));

function contentTypeOf(url, given) {
  if (isData(url)) return typeOfData(url);
  const named = typeof given === "string" ? normal(given.split(";")[0].trim()) : "";
  if (named) return named;
  const ending =
    /^[^?#]*\.([a-z0-9]{1,8})(?:[?#]|$)/i.exec(PLAIN_URL.exec(url)?.[4] ?? "")?.[1].toLowerCase() ?? "bin";
  return ending === "bin" ? "" : (BY_ENDING[ending] ?? `application/${ending}`);
}

/** By its type; an address that tells none is judged by the name of its place (images[0]). */
function kindOf(type, path) {
  if (!TELLS_NOTHING.includes(type)) return kindOfType(type) ?? "file";
  return /(image|video|audio)/.exec(path.toLowerCase())?.[1] ?? "file";
}
