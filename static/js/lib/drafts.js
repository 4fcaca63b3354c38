// What was typed and not sent yet, kept in this browser: it survives Back, reload and log-out.
//
//   const draft = new Draft("form", {origin})     one for each form on a page; `origin`: what the page was filled from
//   draft.keep(endpoint, fields, token) → bool     false when nothing keeps it: storage is off or full, or it is too large
//   draft.done()                                   it was sent, or is not wanted: forgotten
//   draft.take(record)                             goes on with one that was found
//   found("form", {origin, endpoint}) → [record]   of this user and team, this browser tab's first, then the newest
//
// A record is {id, tab, isMine, endpoint, origin, made, at, fields, token}; `token` is the idempotency key of a submit whose answer
// never came. Drafts are named by user and team: another one on the same browser is never shown them. docs/operations.md
// tells what is kept.

const PREFIX = "faldeck.draft.";
const MOST = 40; // of all users and teams of this browser
const MOST_EACH = 512 * 1024; // characters
const MOST_TOGETHER = 2 * 1024 * 1024;
const LONGEST_MS = 30 * 24 * 3600_000;

const { user, team } = document.body.dataset;
const scope = user && team ? `${PREFIX}${user}.${team}.` : null;

export class Draft {
  #kind;
  #origin;
  #id = crypto.randomUUID?.() ?? String(Math.random()).slice(2); // randomUUID: https and localhost alone
  #made = Date.now();
  #from = null; // the name of another tab's draft that this one began with

  constructor(kind, { origin = "" } = {}) {
    this.#kind = kind;
    this.#origin = origin;
  }

  take(record) {
    this.#made = record.made;
    if (record.isMine) this.#id = record.id;
    else this.#from = record.id;
  }

  keep(endpoint, fields, token = null) {
    if (!scope) return false;
    const about = { id: this.#id, tab: tabId(), endpoint, origin: this.#origin };
    const record = { ...about, made: this.#made, at: Date.now(), fields, token };
    return put(this.#name(this.#id), record);
  }

  done() {
    for (const id of [this.#id, this.#from]) if (id) remove(this.#name(id));
    this.#from = null;
  }

  #name(id) {
    return `${scope}${this.#kind}.${id}`;
  }
}

/** The drafts that fit a page; an empty `endpoint` fits all. */
export function found(kind, { origin = "", endpoint = "" } = {}) {
  if (!scope) return [];
  const isOlder = (one, other) => other.isMine - one.isMine || other.at - one.at;
  return names()
    .filter((name) => name.startsWith(`${scope}${kind}.`))
    .map(read)
    .map((one) => one && { ...one, isMine: one.tab === tabId() })
    .filter((one) => one && one.origin === origin && (!endpoint || one.endpoint === endpoint))
    .filter(({ at }) => Date.now() - at < LONGEST_MS)
    .sort(isOlder);
}

// --- storage, which may be off or full ----------------------------------------------------------

/** This browser tab, over reloads. */
function tabId() {
  try {
    const known = sessionStorage.getItem("faldeck.tab");
    if (known) return known;
    const made = String(Math.random()).slice(2);
    sessionStorage.setItem("faldeck.tab", made);
    return made;
  } catch {
    return "";
  }
}

function put(name, record) {
  const text = `${record.at}\n${JSON.stringify(record)}`;
  if (text.length > MOST_EACH) {
    remove(name); // an older state of it would come back as if it were this one
    return false;
  }
  try {
    makeRoom(name, text.length);
    localStorage.setItem(name, text);
    return true;
  } catch {
    remove(name);
    return false;
  }
}

/** Remove expired drafts, then the oldest ones of any user. */
function makeRoom(name, size) {
  const others = names()
    .filter((other) => other !== name)
    .map((other) => ({ other, text: localStorage.getItem(other) ?? "" }))
    .map(({ other, text }) => ({ other, size: text.length, at: Number.parseInt(text, 10) || 0 }))
    .sort((one, two) => two.at - one.at);
  let room = MOST_TOGETHER - size;
  others.forEach(({ other, size: theirs, at }, index) => {
    room -= theirs;
    if (room < 0 || index >= MOST - 1 || Date.now() - at > LONGEST_MS) localStorage.removeItem(other);
  });
}

function names() {
  try {
    return Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
  } catch {
    return [];
  }
}

function read(name) {
  try {
    const text = localStorage.getItem(name) ?? "";
    return JSON.parse(text.slice(text.indexOf("\n") + 1));
  } catch {
    return null; // not ours, or damaged
  }
}

function remove(name) {
  try {
    localStorage.removeItem(name);
  } catch {
    // then it was never kept
  }
}
