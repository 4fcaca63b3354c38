// The page's one socket, and what replaces it while it is away.
//
//   live.watchTable({ html: true })           every row of the team; html: changed rows come as the table shows them
//   live.followRows([uuid, …])                these rows are in sight
//   live.watchRequest(uuid, () => lastFrame, signal)  one request, until the signal; the function says which frames are here
//   live.on("changed", ({rows, html}) => …)   rows: [[uuid, seq], …]; seq null: "may have changed, look"; html: <tr>s, or ""
//   live.on("frames", ({request, frames, last}) => …)
//   live.on("state", ({state, reason}) => …)  connecting, live, polling (and why), offline (and why), paused
//   live.pause()                              changes wait; called again, they come
//   live.on("error", ({code, message}) => …)
//
// Delivery is at most once, so the page also asks what is newer than what it has: by GET every POLL_MS while there is
// no socket, on the socket every HEAL_MS. A socket that leaves that unanswered is dead.

import { request } from "./http.js";
import { login } from "./login.js";
import { madeFor } from "./team.js";

const POLL_MS = 4000;
const HEAL_MS = 30000;
const ANSWER_MS = 10000;
const FIRST_RETRY_MS = 500;
const LONGEST_RETRY_MS = 30000;
const REMEMBERED = 5000;
const MOST_HELD = 500; // changed rows of a pause; after more the page is loaded anew
const INTERRUPTED = "the live connection is interrupted";
const LOGGED_OUT = 4401;
const FINAL = {
  4403: "you are not in this team any more",
  4404: "this request is gone",
  4423: "this team requires two factors now: load the page anew to set up a second one",
};

class Live {
  #target = new EventTarget();
  /** @type {WebSocket | null} */
  #socket = null;
  #wishes = []; // functions that make a watch message, asked anew at each connection
  #requests = [];
  #inSight = [];
  #table = false;
  #html = false;
  /** @type {number | null} the newest seq a reply of `changes` has covered; socket messages do not move it */
  #cursor = null;
  #known = new Map(); // uuid -> newest seq told
  #failures = 0;
  /** @type {number | undefined} */
  #retry;
  /** @type {number | undefined} */
  #poll;
  /** @type {number | undefined} */
  #unanswered;
  #asking = false;
  #ended = false;
  #started = false;
  #state = { state: "connecting", reason: "" };
  /** @type {Map<string, number | null> | null} while paused: what has changed since */
  #held = null;

  get state() {
    return this.#held ? { state: "paused", reason: "" } : this.#state;
  }

  /** Hold changes back until this is called again. */
  pause() {
    if (!this.#started) return;
    const held = this.#held;
    this.#held = held ? null : new Map();
    this.#emit("state", this.state);
    if (!held) return;
    if (held.size > MOST_HELD) return location.reload();
    for (const uuid of this.#requests) held.set(uuid, null);
    if (held.size) this.#emit("changed", { rows: [...held], html: "" });
  }

  /** Call the handler until the signal is aborted, or until the function that is returned is called. */
  on(type, handler, { signal = undefined } = {}) {
    const listener = (event) => handler(event.detail);
    this.#target.addEventListener(type, listener, { signal });
    if (type === "state" && this.#started) handler(this.state);
    return () => this.#target.removeEventListener(type, listener);
  }

  watchTable({ html = false } = {}) {
    this.#html ||= html;
    if (this.#table) return;
    this.#table = true;
    const since = document.querySelector("[data-live-since]")?.dataset.liveSince;
    if (since !== undefined) this.#cursor = Number(since);
    this.#watch(() => ({
      type: "watch",
      table: true,
      made_for: madeFor(),
      html: this.#html,
      ...this.#since(),
    }));
  }

  #since() {
    return this.#cursor === null ? {} : { since: this.#cursor };
  }

  /** @param {AbortSignal} [signal] */
  watchRequest(uuid, after = () => 0, signal) {
    if (signal?.aborted) return;
    const wish = () => ({ type: "watch", request: uuid, after: after() });
    this.#requests.push(uuid);
    this.#watch(wish);
    signal?.addEventListener("abort", () => {
      this.#requests.splice(this.#requests.indexOf(uuid), 1);
      this.#wishes.splice(this.#wishes.indexOf(wish), 1);
      this.#send({ type: "unwatch", request: uuid });
    });
  }

  /** Of the table these rows are in sight: while they are open, their news come at the quick pace. */
  followRows(uuids) {
    this.#inSight = uuids;
    this.#send({ type: "watch", rows: uuids });
  }

  #send(message) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message));
  }

  #watch(wish) {
    this.#wishes.push(wish);
    if (!this.#started) this.#start();
    else this.#send(wish());
  }

  #start() {
    this.#started = true;
    this.#emit("state", this.#state);
    login.on("ended", () => this.#stop("you are logged out"));
    login.on("resumed", () => this.#goOn());
    window.addEventListener("online", () => this.#connectAnew());
    window.addEventListener("offline", () => this.#turn("offline", "this device has no network"));
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden) this.#connectNow();
    });
    this.#connect();
    this.#tick();
  }

  #stop(reason) {
    this.#ended = true;
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#turn("offline", reason);
  }

  #goOn() {
    this.#ended = false;
    this.#connectNow();
    this.#tick();
  }

  /** A socket that has lived through a loss of the network may be dead and not know it. */
  #connectAnew() {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    this.#connectNow();
  }

  #connectNow() {
    this.#failures = 0;
    if (!this.#socket && !this.#ended) this.#connect();
    this.#ask();
  }

  #connect() {
    clearTimeout(this.#retry);
    const { liveUrl } = document.body.dataset;
    if (!liveUrl) return; // no team is chosen: nothing is told
    const url = new URL(liveUrl, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#wishes.forEach((wish) => socket.send(JSON.stringify(wish())));
      if (this.#inSight.length) this.followRows(this.#inSight);
    });
    socket.addEventListener("message", (event) => this.#heard(JSON.parse(event.data)));
    socket.addEventListener("close", (event) => this.#closed(socket, event.code));
  }

  #heard(message) {
    if (message.type === "hello") this.#greeted(message);
    else if (message.type === "since") this.#answered(message);
    else if (message.type === "changed") this.#changed(message.rows, message.html);
    else this.#emit(message.type, message);
  }

  #greeted(message) {
    this.#failures = 0;
    this.#turn("live", "");
    this.#cursor ??= message.seq;
    if (message.rows)
      for (const uuid of this.#requests) this.#emit("changed", { rows: [[uuid, null]], html: "" });
    this.#answered(message);
  }

  /** What changed while disconnected; without rows there is more than the server has at hand. */
  #answered({ seq, rows }) {
    clearTimeout(this.#unanswered);
    if (!rows) return this.#ask();
    this.#cursor = seq;
    this.#changed(rows);
  }

  #closed(socket, code) {
    if (socket !== this.#socket) return;
    this.#socket = null;
    if (code in FINAL) this.#stop(FINAL[code]);
    if (this.#ended) return;
    const { state } = this.#state;
    if (code === LOGGED_OUT) this.#askLogin();
    else if (state === "live" || state === "connecting") this.#interrupted();
    this.#retryLater();
  }

  /** The log-in this socket was opened with is over; there may be another one, made in another tab. */
  async #askLogin() {
    this.#turn("offline", "you are logged out");
    await login.renew(); // "ended" stops us when there is none
  }

  #retryLater() {
    // Full jitter: after a restart not every page knocks at the same moment.
    const longest = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures++);
    this.#retry = setTimeout(() => this.#connect(), FIRST_RETRY_MS + Math.random() * longest);
  }

  #interrupted() {
    this.#turn("polling", INTERRUPTED);
    this.#ask(); // its answer says whether it is the socket or the server that is away
  }

  #tick() {
    clearTimeout(this.#poll);
    if (this.#ended) return;
    const pause = this.#state.state === "live" ? HEAL_MS : POLL_MS;
    this.#poll = setTimeout(async () => {
      if (!document.hidden) await this.#heal();
      this.#tick();
    }, pause);
  }

  async #heal() {
    if (this.#state.state !== "live" || !this.#table) return this.#ask();
    for (const uuid of this.#requests) this.#emit("changed", { rows: [[uuid, null]], html: "" });
    this.#send({ type: "since", seq: this.#cursor });
    clearTimeout(this.#unanswered);
    this.#unanswered = setTimeout(() => this.#connectAnew(), ANSWER_MS);
  }

  async #ask() {
    if (this.#asking || this.#ended) return;
    this.#asking = true;
    try {
      for (const uuid of this.#requests) this.#emit("changed", { rows: [[uuid, null]], html: "" });
      while (await this.#askOnce());
      if (this.#state.state !== "live") this.#turn("polling", INTERRUPTED);
    } catch (error) {
      if (this.#state.state !== "live")
        this.#turn("offline", error instanceof Error ? error.message : String(error));
    } finally {
      this.#asking = false;
    }
  }

  async #askOnce() {
    const url = new URL(document.body.dataset.changesUrl ?? "", location.href);
    if (this.#cursor !== null) url.searchParams.set("since", String(this.#cursor));
    // The socket follows them otherwise.
    if (this.#state.state !== "live" && this.#inSight.length)
      url.searchParams.set("in_sight", this.#inSight.join());
    const reply = await get(url);
    this.#cursor = reply.seq;
    this.#changed(reply.rows);
    return reply.more;
  }

  #changed(rows, html = "") {
    const news = rows.filter(([uuid, seq]) => seq === null || seq > (this.#known.get(uuid) ?? -1));
    if (this.#known.size > REMEMBERED) this.#known.clear();
    for (const [uuid, seq] of news) if (seq !== null) this.#known.set(uuid, seq);
    if (news.length) this.#emit("changed", { rows: news, html });
  }

  #turn(state, reason) {
    if (state === this.#state.state && reason === this.#state.reason) return;
    const wasLive = this.#state.state === "live";
    this.#state = { state, reason };
    this.#emit("state", this.state);
    if (wasLive !== (state === "live")) this.#tick();
  }

  #emit(type, detail) {
    if (this.#held && type === "changed") return detail.rows.forEach(([id, seq]) => this.#held?.set(id, seq));
    if (this.#held && type === "frames") return; // what they missed is fetched afterwards
    this.#target.dispatchEvent(new CustomEvent(type, { detail }));
  }
}

async function get(url) {
  let reply;
  try {
    reply = await request(url, { headers: { Accept: "application/json" } });
  } catch {
    throw new Error("the server cannot be reached");
  }
  if (reply.status === 409) throw new Error("you are not in this team any more");
  if (reply.status === 401) throw new Error("you are logged out");
  if (reply.headers.get("X-Refusal") === "factor") throw new Error(FINAL[4423]);
  if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
  return reply.json();
}

export const live = new Live();
