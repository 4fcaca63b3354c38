// One file on its way to fal's storage. Our server asks fal for a signed address; the bytes go there from here, in
// one PUT, or in parts one after the other. A part that failed is sent again alone.
//
//   const upload = new Upload(file, url, changed)     `changed(upload)` is called at every step
//   upload.run(), .cancel(), .retry()
//   upload.state     "starting", "sending", "failed", "cancelled" or "done"
//   upload.sent, .size, .part, .parts, .sentence, .fileUrl

import { request } from "../../lib/http.js";
import { plainOf } from "../../lib/jsontext.js";

const TRIES = 3; // of each part, by itself
const PAUSE_MS = 800; // before the second try, twice that before the third
const EXPIRED = [401, 403, 404, 410]; // the signed address is no longer taken: a new one is asked for

class Failed extends Error {
  constructor(sentence, { isStale = false, isPassing = false } = {}) {
    super(sentence);
    this.isStale = isStale; // the signed address is of no use any more
    this.isPassing = isPassing; // another try may help
  }
}

export class Upload {
  state = "starting";
  sentence = "";
  fileUrl = "";
  sent = 0;
  part = 0;
  #url;
  #changed;
  /** @type {any} the server's answer */
  #ticket = null;
  #done = []; // of a multipart upload: {partNumber, etag}
  #abort = new AbortController();

  constructor(file, url, changed) {
    this.file = file;
    this.#url = url;
    this.#changed = changed;
  }

  get size() {
    return this.file.size;
  }

  get parts() {
    return this.#ticket?.part_size ? Math.ceil(this.size / this.#ticket.part_size) : 0;
  }

  get isOpen() {
    return this.state === "starting" || this.state === "sending";
  }

  async run() {
    const { signal } = this.#abort; // a retry brings another one
    try {
      this.#say("starting");
      this.#ticket ??= await this.#start();
      this.#say("sending");
      if (this.parts) await this.#sendParts();
      else await this.#sendWhole();
      this.fileUrl = this.#ticket.file_url;
      this.#say("done");
    } catch (caught) {
      const error = /** @type {Failed} */ (caught);
      if (signal.aborted) return;
      if (error.isStale) [this.#ticket, this.#done] = [null, []];
      this.#say("failed", error instanceof Failed ? error.message : "The upload failed. Try again.");
    }
  }

  cancel() {
    this.#abort.abort();
    this.#say("cancelled");
  }

  /** Go on where it failed; from the beginning when it was cancelled. */
  retry() {
    if (this.state === "cancelled") [this.#ticket, this.#done] = [null, []];
    this.#abort = new AbortController();
    return this.run();
  }

  #say(state, sentence = "") {
    this.state = state;
    this.sentence = sentence;
    this.#changed(this);
  }

  /** Where to send it. */
  async #start() {
    const about = new FormData();
    about.set("name", this.file.name || "pasted");
    about.set("content_type", this.file.type);
    about.set("size", String(this.size));
    let reply;
    try {
      reply = await request(this.#url, {
        method: "POST",
        body: about,
        headers: { "X-CSRFToken": csrfToken(), Accept: "application/json" },
        signal: this.#abort.signal,
      });
    } catch {
      throw new Failed("This site did not answer. Look at your connection and try again.");
    }
    const answer = await reply.json().catch(() => ({}));
    if (reply.ok) return answer;
    throw new Failed(answer.detail ?? refusal(reply));
  }

  async #sendWhole() {
    const { upload_url: url, content_type: type } = this.#ticket;
    await this.#put(url, this.file, { type, before: 0 });
    this.sent = this.size;
  }

  async #sendParts() {
    const { upload_url: url, part_size: size } = this.#ticket;
    for (let number = this.#done.length + 1; number <= this.parts; number += 1) {
      this.part = number;
      const before = (number - 1) * size;
      const piece = this.file.slice(before, before + size);
      const reply = await this.#insist(() => this.#put(below(url, number), piece, { before }));
      this.#done.push({ partNumber: number, etag: etagOf(reply) });
    }
    await this.#insist(() => this.#complete(below(url, "complete")));
  }

  /** Try again what may pass. */
  async #insist(step) {
    for (let tried = 1; ; tried += 1) {
      try {
        return await step();
      } catch (caught) {
        const error = /** @type {Failed} */ (caught);
        if (!error.isPassing || tried === TRIES || this.#abort.signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tried));
      }
    }
  }

  #complete(url) {
    const body = JSON.stringify({ parts: this.#done });
    return send("POST", url, body, { type: "application/json", signal: this.#abort.signal });
  }

  #put(url, body, { type = "", before }) {
    const onProgress = (sent) => {
      this.sent = before + sent;
      this.#changed(this);
    };
    return send("PUT", url, body, { type, onProgress, signal: this.#abort.signal });
  }
}

/** The address with something behind its path; the query stays. */
function below(url, step) {
  const parts = new URL(url);
  return `${parts.origin}${parts.pathname}/${step}${parts.search}`;
}

/** By XMLHttpRequest: fetch tells nothing of how much has gone. No cookie, no header of ours. */
function send(method, url, body, { type, onProgress = (_) => {}, signal }) {
  return new Promise((resolve, reject) => {
    const call = new XMLHttpRequest();
    const stop = () => call.abort();
    if (signal.aborted) return reject(new Failed("Cancelled."));
    signal.addEventListener("abort", stop);
    call.open(method, url);
    if (type) call.setRequestHeader("Content-Type", type);
    call.upload.addEventListener("progress", ({ loaded }) => onProgress(loaded));
    call.addEventListener("loadend", () => {
      signal.removeEventListener("abort", stop);
      if (call.status >= 200 && call.status < 300) resolve(call);
      else reject(failure(call.status));
    });
    call.send(body);
  });
}

function failure(status) {
  if (!status) return new Failed("The connection to fal's storage broke off.", { isPassing: true });
  if (status === 413) return new Failed("fal's storage says that the file is too large (413).");
  if (EXPIRED.includes(status))
    return new Failed(`fal's storage no longer takes this upload (${status}). Try again from the start.`, {
      isStale: true,
    });
  return new Failed(`fal's storage failed (${status}).`, { isPassing: status >= 500 || status === 429 });
}

/** In the reply's body; some stores have it in a header alone. */
function etagOf(reply) {
  return plainOf(reply.responseText)?.etag ?? reply.getResponseHeader("etag") ?? "";
}

function refusal(reply) {
  if (reply.status === 401) return "You are logged out. Log in, then press Retry.";
  if (reply.headers.get("X-Refusal") === "role") return "Your role in this team may not send files.";
  return `This site refused the upload (${reply.status}). Reload the page; what you typed is kept.`;
}

function csrfToken() {
  const field = /** @type {HTMLInputElement} */ (document.querySelector("input[name=csrfmiddlewaretoken]"));
  return field?.value ?? "";
}
