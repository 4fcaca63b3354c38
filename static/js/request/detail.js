// The parts of a request that change are fetched when something changed, and only newer ones are put in. They stand on
// the request's own page, and beside the form for a new one (request/mount.js).

import { request } from "../lib/http.js";
import { announce } from "../lib/announce.js";
import { Follower } from "../lib/follow.js";
import { growTrees } from "../lib/jsontree.js";
import { showTells } from "../lib/notices.js";
import { showActions } from "../lib/save.js";
import { live } from "../lib/socket.js";
import { refreshTimes } from "../lib/time.js";
import { moveProgress } from "./progress.js";

const GATHER_MS = 100;
const MOST_LINES = 5000; // in the page; the newest
const NEWEST_LINES = 12; // beside the progress
const LOOK_MS = 3000; // for a look that is due to be over

export class RequestPage {
  #page;
  #signal;
  #id;
  #lines = /** @type {HTMLElement} */ (document.getElementById("log-lines"));
  #follower = new Follower(this.#lines, document.getElementById("follow-logs"));
  /** @type {number | undefined} */
  #timer;
  /** @type {number | undefined} */
  #look;
  #busy = false;
  #again = false;

  /** `page` is the request's element. All ends with the signal. */
  constructor(page, tabs, signal) {
    [this.#page, this.#signal, this.#id] = [page, signal, page.dataset.request];
    enliven(page);
    live.on(
      "changed",
      ({ rows }) => rows.some(([id, seq]) => id === this.#id && this.#isNews(seq)) && this.#soon(),
      { signal },
    );
    const acted = ({ detail }) => detail.id === this.#id && this.#soon();
    document.addEventListener("request:acted", acted, { signal });
    signal.addEventListener("abort", () => {
      clearTimeout(this.#timer);
      clearTimeout(this.#look);
    });
    tabs.on((name) => name === "logs" && this.#follower.grown());
    this.#showNewest();
    this.#follower.grown();
    this.#awaitLook();
    // A record's own module watches with the number of the frame it has reached.
    if (!document.getElementById("record")) live.watchRequest(this.#id, () => 0, signal);
  }

  #isNews(seq) {
    return seq === null ? !this.#hasEnded() : seq > Number(head().dataset.version);
  }

  #hasEnded() {
    return head().dataset.ended === "true";
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#refresh();
    }, GATHER_MS);
  }

  /** One question at a time; news that came meanwhile asks once more. */
  async #refresh() {
    if (this.#busy) {
      this.#again = true;
      return;
    }
    this.#busy = true;
    try {
      // The parts name the version that the page has. Lines are fetched after they were made and before they are put
      // in: a line that is stored meanwhile is either here or still news.
      const parts = await fetchHtml(this.#page.dataset.live);
      await this.#fetchLogs();
      if (!this.#signal.aborted) this.#show(parts);
    } catch {
      // The connection light tells; the next change or poll asks again.
    } finally {
      this.#busy = false;
      if (this.#again && !this.#signal.aborted) {
        this.#again = false;
        this.#soon();
      }
    }
  }

  #show(fresh) {
    const before = head().dataset;
    const status = before.status;
    for (const part of fresh.querySelectorAll("[data-part]")) swap(part);
    moveProgress(this.#page);
    if (head().dataset.status !== status) this.#statusChanged();
    this.#awaitLook();
  }

  /** A look that finds nothing changes nothing: ask afterwards when the next one is due. */
  #awaitLook() {
    clearTimeout(this.#look);
    const search = this.#page.querySelector("[data-looks-in]");
    if (search) this.#look = setTimeout(() => this.#soon(), Number(search.dataset.looksIn) * 1000 + LOOK_MS);
  }

  #statusChanged() {
    const word = head().querySelector(".badge")?.textContent?.trim() ?? "";
    announce(`The request is ${word}.`);
    if ("address" in this.#page.dataset) document.title = document.title.replace(/· .* ·/, `· ${word} ·`);
    if (!this.#hasEnded()) return;
    this.#showNewest();
    for (const hint of this.#page.querySelectorAll("[data-while-live]")) hint.hidden = true;
  }

  /** The newest lines stand beside the progress too: the log itself is below the room kept for the output. */
  #showNewest() {
    const newest = this.#hasEnded() ? [] : [...this.#lines.children].slice(-NEWEST_LINES);
    document.getElementById("newest-lines")?.replaceChildren(...newest.map((line) => line.cloneNode(true)));
  }

  async #fetchLogs() {
    for (;;) {
      const last = /** @type {HTMLElement | null} */ (this.#lines.lastElementChild);
      const after = last?.dataset.line ?? 0;
      const fresh = await fetchHtml(`${this.#page.dataset.logs}?after=${after}`);
      if (this.#signal.aborted) return;
      const lines = fresh.querySelectorAll("li");
      if (!lines.length) return;
      refreshTimes(fresh);
      this.#lines.append(...lines);
      while (this.#lines.childElementCount > MOST_LINES) this.#lines.firstElementChild?.remove();
      document.getElementById("no-logs")?.setAttribute("hidden", "");
      this.#showNewest();
      this.#follower.grown();
    }
  }
}

const head = () => /** @type {HTMLElement} */ (document.getElementById("part-head"));

async function fetchHtml(url) {
  const reply = await request(url);
  if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
  const template = document.createElement("template");
  template.innerHTML = await reply.text();
  return template.content;
}

/** Put a part in unless the page's own is as new: an open tree or a playing video is left alone. */
export function swap(fresh) {
  const old = document.getElementById(fresh.id);
  if (!old || old.dataset.version === fresh.dataset.version || isOlder(fresh, old)) return;
  const focused = focusables(old).indexOf(document.activeElement);
  const wasOpen = [...old.querySelectorAll("details")].map((details) => details.open);
  old.replaceWith(fresh);
  window.htmx?.process(fresh);
  enliven(fresh);
  fresh
    .querySelectorAll("details.delivery")
    .forEach((details, index) => (details.open ||= wasOpen[index] ?? false));
  if (focused >= 0) focusables(fresh)[focused]?.focus({ preventScroll: true });
}

/** Versions that are numbers have an order; others only differ. */
const isOlder = (fresh, old) => Number(fresh.dataset.version) < Number(old.dataset.version);

const focusables = (root) => [...root.querySelectorAll("a, button, summary, [tabindex]")];

export function enliven(root) {
  refreshTimes(root);
  growTrees(root);
  showActions(root);
  showTells(root);
  for (const opener of root.querySelectorAll("[data-dialog]")) opener.hidden = false;
}
