// One realtime session over its own socket: /ws/realtime/ on our side, fal behind it. No page in here.
//
//   "state"    {state}            idle, connecting, open, ended
//   "begun"    {id, url}          it is recorded there
//   "frame"    frame              every message once and in order, both directions
//   "missed"   {missed}           so many messages were not shown here and cannot be read anywhere
//   "ended"    {kind, sentence}   normal, timeout, disconnected, error, lost, refused
//   "problem"  {message}          something of ours was not taken; the session goes on
//   "capped"   {message}          the record is full; the session goes on

import { login } from "../lib/login.js";
import { Feed } from "../record/feed.js";

const ACK_MS = 50;
const PATIENCE_MS = 400; // for a frame that is missing between pushed ones
const LOGGED_OUT = 4401;
const CLOSED = {
  1009: "The message was too large for this site.",
  1013: "Too many sessions are open.",
  4401: "You are logged out. Log in again, then connect.",
  4403: "You may not open sessions in this team.",
  4423: "This team requires two factors now. Load the page anew to set up a second one.",
  4404: "There is no such team or endpoint any more.",
  4500: "This site is being restarted; that ended the session. Connect again in a moment.",
};

export class Session extends EventTarget {
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {Feed | null} */
  #feed = null;
  #acked = 0;
  /** @type {number | undefined} */
  #ackTimer;
  state = "idle";
  url = null;

  /** Call `take` with what such an event tells. */
  on(type, take) {
    this.addEventListener(type, (event) => take(/** @type {CustomEvent} */ (event).detail));
  }

  /** Open a session; one at a time. */
  connect(path, wish) {
    if (this.isAlive) return;
    this.#forget();
    this.#turn("connecting");
    const url = new URL(path, location.href);
    url.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    this.#socket = socket;
    socket.addEventListener("open", () => socket.send(JSON.stringify({ type: "connect", ...wish })));
    socket.addEventListener("message", ({ data }) => this.#heard(JSON.parse(data)));
    socket.addEventListener("close", ({ code }) => this.#lost(socket, code));
  }

  get isAlive() {
    return this.state === "connecting" || this.state === "open";
  }

  /** Bytes that have not left this browser yet. */
  get waiting() {
    return this.#socket?.bufferedAmount ?? 0;
  }

  /** `text` is JSON and goes as it was typed: long numbers keep their digits. */
  send(text, as) {
    if (this.state !== "open") return false;
    this.#socket?.send(`{"type":"send","as":"${as}","value":${text}}`);
    return true;
  }

  disconnect() {
    if (this.state === "open") this.#socket?.send(JSON.stringify({ type: "disconnect" }));
    else this.close();
  }

  /** Leave without a word; the server ends the session. */
  close() {
    if (this.isAlive) this.#end({ kind: "disconnected", sentence: "You left the session." });
  }

  #forget() {
    this.#feed?.stop();
    this.#feed = this.url = null;
    this.#acked = 0;
  }

  #heard(message) {
    const answer = {
      session: () => this.#begun(message),
      open: () => this.#turn("open"),
      frames: () => this.#feed?.hear(message.frames, message.last),
      gap: () => this.#fill(),
      missed: () => this.#feed?.skip(message.from, message.to),
      capped: () => this.#emit("capped", message),
      error: () => this.#refused(message),
      ended: () => this.#end(message),
    }[message.type];
    answer?.();
  }

  /** A word of ours: the session goes on, unless it is the answer to `connect`. */
  #refused({ message }) {
    if (this.state === "connecting" && !this.url) this.#end({ kind: "refused", sentence: message });
    else this.#emit("problem", { message });
  }

  #begun({ id, url }) {
    this.url = url;
    this.#feed = new Feed(`${url}frames/`, (frame) => this.#take(frame), { patience: PATIENCE_MS });
    this.#emit("begun", { id, url });
  }

  #take(frame) {
    this.#emit(frame.missed ? "missed" : "frame", frame);
    this.#ackTimer ??= setTimeout(() => this.#ack(), ACK_MS);
  }

  /** Say how far this page has come: the server pushes no more than a window ahead of it. */
  #ack() {
    this.#ackTimer = undefined;
    const last = this.#feed?.last ?? 0;
    if (last <= this.#acked || this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#acked = last;
    this.#socket?.send(JSON.stringify({ type: "ack", number: last }));
  }

  /** We were too slow and the server has stopped pushing: read the record, then say where we are. */
  async #fill() {
    await this.#feed?.catchUp();
    this.#acked = 0; // the server waits for a word, also when there was nothing to fetch
    this.#ack();
  }

  #lost(socket, code) {
    if (socket !== this.#socket || !this.isAlive) return;
    if (code === LOGGED_OUT) login.ended();
    const lost = this.url
      ? `The connection to this site was lost (${code}); that ended the session.`
      : "This site cannot be reached. No session was begun; connect again in a moment.";
    const sentence = CLOSED[code] ?? lost;
    this.#end({ kind: "lost", code, sentence });
  }

  #end(ending) {
    if (!this.isAlive) return;
    this.#turn("ended");
    this.#feed?.catchUp(); // what was on its way
    this.#socket?.close();
    this.#emit("ended", ending);
  }

  #turn(state) {
    this.state = state;
    this.#emit("state", { state });
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
