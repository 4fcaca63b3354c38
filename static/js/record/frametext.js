// What a frame says, for a list and for its detail. Pure.

import { plainOf } from "../lib/jsontext.js";

const LINE = 160; // characters of the first line
const KEPT = 4096; // characters of a text that stay in the page; a longer one is fetched when it is opened
const MEDIA = /^(image|audio)\//;
const STARTS = [
  ["iVBORw0KGgo", "image/png"],
  ["/9j/", "image/jpeg"],
  ["R0lGOD", "image/gif"],
  ["T2dnUw", "audio/ogg"],
  ["ZkxhQ", "audio/flac"],
  ["SUQz", "audio/mpeg"],
];

const TONES = { error: "error", part: "part", note: "quiet", nothing: "quiet" }; // of what an event says

/** A frame as the page keeps it: light, with its first line; `tone` is "", "calm", "word", "quiet", "part" or "error". */
export function light(frame) {
  const { data, ...rest } = frame;
  const control = frame.kind === "control" ? controlOf(data) : null;
  const tone = control?.tone ?? toneOf(frame);
  const isShort = data !== null && data.length <= KEPT;
  return { ...rest, line: control?.line ?? lineOf(frame), tone, data: isShort ? data : null };
}

/** As the server judged it; of a session's messages an error alone stands out. */
function toneOf({ says, kind = "event", direction = "in" }) {
  if (direction === "out" || (kind !== "event" && says !== "error")) return "";
  return TONES[says] ?? "";
}

function lineOf({ data, event, says }) {
  const name = `${says === "part" ? "only a part came: " : ""}${event ? `${event}: ` : ""}`;
  if (data === null) return `${name}large: open it to load it`;
  const line = data.slice(0, 4 * LINE).split("\n", 1)[0];
  // Inline pictures and bytes would fill the line with letters that say nothing.
  const short = line.replace(/data:image\/[^"\s]*/g, "data:image…").replace(/("\$bytes":")[^"]{13,}/g, "$1…");
  return name + short.slice(0, LINE);
}

/** fal's own words about the session; a time-out is how a good one usually ends. */
function controlOf(data) {
  const value = plainOf(data);
  if (value?.type === "x-fal-message") {
    const timing = typeof value.timing === "number" ? `, ${value.timing} s` : "";
    return { tone: "word", line: `x-fal-message: ${value.action ?? "no action"}${timing}` };
  }
  if (value?.type === "x-fal-error" || value?.status === "error") {
    const said = [value.error, value.reason].filter((text) => typeof text === "string" && text).join(": ");
    const tone = value.error === "TIMEOUT" ? "calm" : "error";
    return { tone, line: `${value.type ?? "status error"} ${said}`.slice(0, LINE) };
  }
  return null;
}

/** Bytes that can be seen or heard: [{pointer, type}], pointers (RFC 6901) into the shown message. */
export function mediaIn(value, pointer = "") {
  if (value === null || typeof value !== "object") return [];
  const type = value.media ?? (typeof value.$bytes === "string" ? typeOf(value.$bytes) : undefined);
  if ("$bytes" in value || "$bytes_size" in value) return MEDIA.test(type) ? [{ pointer, type }] : [];
  return Object.entries(value).flatMap(([key, child]) => mediaIn(child, `${pointer}/${escaped(key)}`));
}

const escaped = (key) => key.replaceAll("~", "~0").replaceAll("/", "~1");
const typeOf = (base64) => STARTS.find(([start]) => base64.startsWith(start))?.[1];

/** Sixteen bytes a line: offset, hex, signs. */
export function hexOf(bytes, from = 0) {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 16) {
    const row = [...bytes.subarray(at, at + 16)];
    const hex = row.map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    const signs = row.map((byte) => (byte > 31 && byte < 127 ? String.fromCharCode(byte) : "·")).join("");
    lines.push(`${(from + at).toString(16).padStart(6, "0")}  ${hex.padEnd(47)}  ${signs}`);
  }
  return lines.join("\n");
}

export function sizeOf(bytes) {
  if (bytes < 1000) return `${bytes} B`;
  if (bytes < 1e6) return `${(bytes / 1e3).toFixed(1)} kB`;
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

/** The moment of an offset; `data-began` of the root is that of offset 0. Null when it is not known. */
export function momentOf(root, offset) {
  const began = Date.parse(root.dataset.began ?? "");
  return Number.isNaN(began) ? null : new Date(began + offset);
}

/** When a frame passed. Neighbours are a few ms apart: more exact than a span. */
export function offsetOf(ms) {
  if (ms < 999.5) return `+${Math.round(ms)} ms`;
  return `+${ms < 600_000 ? `${(ms / 1000).toFixed(ms < 10_000 ? 3 : 1)} s` : spanOf(ms)}`;
}

/** A span of time that was measured: the shorter, the more exact. */
export function spanOf(ms) {
  if (ms > 0 && ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 600_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 1 : 0)} s`;
  return `${Math.floor(ms / 60_000)} m ${Math.floor((ms % 60_000) / 1000)} s`;
}
