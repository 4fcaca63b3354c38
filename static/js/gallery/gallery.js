// The gallery's tiles: the next ones come while one scrolls, new ones wait behind "+3 new", and nothing moves.
//
//   <ol id="gallery" data-tiles="URL" data-query="q=…" [data-first-page]>  the newest belong here
//   <nav class="pager"> with a[rel=next]                                   where it goes on, also without scripts

import { request } from "../lib/http.js";
import { dropLost } from "../lib/lostmedia.js";
import { live } from "../lib/socket.js";

const AHEAD = "1200px"; // of the end the next tiles are fetched
const MOST_TILES = 960; // in the page; then the link leads to a page of its own
const GATHER_MS = 400; // changes of the same moment travel as one question
const BATCH = 100; // ids the server takes at once

class Gallery {
  #grid;
  #pill = document.getElementById("new-rows");
  #next = /** @type {HTMLAnchorElement | null} */ (document.querySelector(".pager a[rel=next]"));
  /** @type {Promise<void> | null} */
  #loading = null;
  #asked = new Set(); // requests that have changed
  #waiting = new Map(); // request -> its tiles that are not shown yet
  /** @type {number | undefined} */
  #gathering;

  constructor(grid) {
    this.#grid = grid;
    this.#mark();
    grid.addEventListener("lightbox:more", ({ detail }) => (detail.wait = this.#more()));
    this.#pill?.addEventListener("click", () => this.#showWaiting());
    if (this.#next) this.#watch();
    live.on("changed", ({ rows }) => this.#changed(rows));
    live.watchTable();
  }

  // --- onwards ---

  #watch() {
    const seen = new IntersectionObserver(
      ([{ isIntersecting }]) => isIntersecting && this.#more().then(() => this.#watchAgain(seen)),
      { rootMargin: AHEAD },
    );
    if (this.#next) seen.observe(this.#next);
  }

  /** An end that is still in sight is told anew. */
  #watchAgain(seen) {
    seen.disconnect();
    if (this.#hasMore()) seen.observe(this.#next);
  }

  #hasMore() {
    return Boolean(this.#next) && this.#grid.children.length < MOST_TILES;
  }

  #mark() {
    if (this.#hasMore()) this.#grid.dataset.hasMore = "";
    else delete this.#grid.dataset.hasMore;
  }

  /** Append the next tiles. What fails leaves the link, which leads on. */
  #more() {
    if (!this.#hasMore()) return Promise.resolve();
    this.#loading ??= this.#fetchNext().finally(() => {
      this.#loading = null;
      this.#mark();
    });
    return this.#loading;
  }

  async #fetchNext() {
    const link = /** @type {HTMLAnchorElement} */ (this.#next);
    const url = new URL(link.href);
    link.setAttribute("aria-busy", "true");
    try {
      const reply = await this.#get(`older=${url.searchParams.get("older")}`);
      const older = new URLSearchParams(reply.headers.get("X-Older") ?? "").get("older");
      this.#grid.append(...tilesOf(await reply.text()).filter((tile) => !document.getElementById(tile.id)));
      dropLost(this.#grid);
      if (older) {
        url.searchParams.set("older", older);
        link.href = url.href;
      } else {
        this.#next = null;
        link.remove();
      }
    } catch {
      // The connection light tells; the link is there.
    } finally {
      link.removeAttribute("aria-busy");
    }
  }

  async #get(query) {
    const { tiles, query: search } = this.#grid.dataset;
    const reply = await request(`${tiles}?${[query, search].filter(Boolean).join("&")}`);
    if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
    return reply;
  }

  // --- news ---

  #changed(rows) {
    for (const [id] of rows) if (this.#isShown(id) || "firstPage" in this.#grid.dataset) this.#asked.add(id);
    if (this.#asked.size) this.#gathering ??= setTimeout(() => this.#fetchAsked(), GATHER_MS);
  }

  #isShown(id) {
    return Boolean(this.#grid.querySelector(`[data-request="${CSS.escape(id)}"]`));
  }

  async #fetchAsked() {
    const ids = [...this.#asked].slice(0, BATCH);
    for (const id of ids) this.#asked.delete(id);
    try {
      const reply = await this.#get(`ids=${ids.join(",")}`);
      this.#put(ids, tilesOf(await reply.text()));
    } catch {
      // the next change of them asks again
    }
    this.#gathering = this.#asked.size ? setTimeout(() => this.#fetchAsked(), GATHER_MS) : undefined;
  }

  #put(ids, tiles) {
    for (const id of ids) {
      const mine = tiles.filter(({ dataset }) => dataset.request === id);
      if (this.#isShown(id)) this.#dim(id, mine.length === 0);
      else if (mine.length) this.#waiting.set(id, mine);
      else this.#waiting.delete(id);
    }
    if (this.#grid.children.length) this.#showPill();
    else this.#showWaiting();
  }

  /** What matches no more, or is gone, stays in its place. */
  #dim(id, isGone) {
    for (const tile of this.#grid.querySelectorAll(`[data-request="${CSS.escape(id)}"]`))
      tile.classList.toggle("tile-gone", isGone);
  }

  #showPill() {
    if (!this.#pill) return;
    const count = [...this.#waiting.values()].flat().length;
    this.#pill.hidden = count === 0;
    this.#pill.textContent = `+${Math.min(count, 99)} new`;
  }

  #showWaiting() {
    const fresh = [...this.#waiting.values()].sort(
      ([one], [other]) => Number(other.dataset.created) - Number(one.dataset.created),
    );
    this.#waiting.clear();
    this.#showPill();
    if (!fresh.length) return;
    document.getElementById("empty")?.remove();
    document.getElementById("list-tools")?.removeAttribute("hidden");
    this.#grid.prepend(...fresh.flat());
    dropLost(this.#grid);
    scrollTo({ top: 0 });
  }
}

/** @returns {HTMLElement[]} */
function tilesOf(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  return [...template.content.querySelectorAll(".tile")];
}

const grid = document.getElementById("gallery");
if (grid) new Gallery(grid);
