// How a moment reads in a zone, with 12 or 24 hours. Pure; the server writes the same (display/times.py).

/** @type {[number, string][]} */
const UNITS = [
  [86400, "d"],
  [3600, "h"],
  [60, "m"],
];
const formatters = new Map(); // zone -> Intl.DateTimeFormat; null for a zone this browser does not know

const pad = (number, length = 2) => String(number).padStart(length, "0");

/** One unit is enough: 4 s ago, 3 m ago, in 2 d. */
export function age(seconds) {
  const whole = Math.trunc(seconds);
  const [length, unit] = UNITS.find(([least]) => Math.abs(whole) >= least) ?? [1, "s"];
  const text = `${Math.floor(Math.abs(whole) / length)} ${unit}`;
  return whole < 0 ? `in ${text}` : `${text} ago`;
}

/** {exact, clock, full} of a moment: for a line, below others of one day, and on hover. Null: an unknown zone. */
export function textsOf(moment, { zone = "local", hours = 24 } = {}) {
  const there = civil(moment, zone);
  if (!there) return null;
  const label = zone === "local" ? "" : ` ${there.offset}`;
  const precise = clockOf(there, hours, `.${pad(there.ms, 3)}`);
  const name = there.zone === "UTC" ? "UTC" : `${there.zone} (${there.offset})`;
  return {
    exact: `${there.day} ${clockOf(there, hours)}${label}`,
    clock: `${precise}${label}`,
    full: `${there.day} ${precise} ${name}`,
  };
}

/** The zone that "local" stands for. */
function localZone() {
  const name = formatterOf("local").resolvedOptions().timeZone ?? "UTC";
  return /^(Etc\/)?(UTC|GMT|UCT|Zulu|Universal)$/.test(name) ? "UTC" : name;
}

function clockOf({ hour, minute, second }, hours, ms = "") {
  const rest = `${pad(minute)}:${pad(second)}${ms}`;
  if (hours === 24) return `${pad(hour)}:${rest}`;
  return `${hour % 12 || 12}:${rest} ${hour < 12 ? "AM" : "PM"}`;
}

function civil(moment, zone) {
  const formatter = formatterOf(zone);
  if (!formatter || Number.isNaN(moment.getTime())) return null;
  const parts = formatter.formatToParts(moment).map(({ type, value }) => [type, Number(value)]);
  const { year, month, day, hour, minute, second } = Object.fromEntries(parts);
  const ms = ((moment.getTime() % 1000) + 1000) % 1000;
  const asUtc = new Date(0);
  asUtc.setUTCFullYear(year, month - 1, day);
  asUtc.setUTCHours(hour, minute, second, ms);
  return {
    day: `${pad(year, 4)}-${pad(month)}-${pad(day)}`,
    hour,
    minute,
    second,
    ms,
    offset: offsetOf(Math.trunc((asUtc.getTime() - moment.getTime()) / 60_000)),
    zone: zone === "local" ? localZone() : zone,
  };
}

/** UTC, UTC+1, UTC-3:30: unlike CET or IST it means one thing. */
function offsetOf(minutes) {
  if (!minutes) return "UTC";
  const [whole, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
  return `UTC${minutes > 0 ? "+" : "-"}${whole}${rest ? `:${pad(rest)}` : ""}`;
}

function formatterOf(zone) {
  if (!formatters.has(zone)) formatters.set(zone, makeFormatter(zone));
  return formatters.get(zone);
}

function makeFormatter(zone) {
  const digits = "2-digit";
  try {
    return new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: zone === "local" ? undefined : zone,
      hourCycle: "h23",
      year: "numeric",
      month: digits,
      day: digits,
      hour: digits,
      minute: digits,
      second: digits,
    });
  } catch {
    return null;
  }
}
