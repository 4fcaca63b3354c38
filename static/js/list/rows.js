// The table's rows, kept up to date. Every row comes as HTML from the same view; one function puts it in.
//
//   <tbody data-rows="URL" data-query="q=…" data-live-since="seq" [data-counts="URL"]
//          [data-first-page]>  rows that are new to the team belong here
//          [data-opened="s"]>  in another order than newest first they are counted, and shown by a reload
//
// Nothing moves under the reader: while the page is scrolled, hovered, or rows are ticked, new rows wait behind
// a "+3 new" button. A row that stops matching the search stays, dimmed.

import { request } from "../lib/http.js";
import { count } from "../lib/announce.js";
import { dropLost } from "../lib/lostmedia.js";
import { live } from "../lib/socket.js";
import { Deltas } from "./deltas.js";
import { refreshTimes } from "../lib/time.js";

const GATHER_MS = 50; // changes of the same moment travel as one question
const BATCH = 100; // ids the server takes at once
const MOST_ROWS = 200; // in the page; "Older" has the rest
const COUNTS_MS = 3000;
const SHOWN_MS = 1200; // how long a change stays marked
const SIGHT_MS = 300; // after the last scroll or change
const MOST_IN_SIGHT = 100; // the server takes no more
const ENDED = new Set(["completed", "failed", "cancelled"]);
const FOCUSABLE = "a, button:not(.cell-more), input";
const INERT_MS = 700; // a button that has just changed under the pointer does nothing

class Rows {
  #body;
  #heads; // the first class of each, which its cells share
  #pill = document.getElementById("new-rows");
  #asked = new Map(); // uuid -> newest seq we know to exist; null: unknown
  #waiting = new Map(); // uuid -> <tr> not shown yet
  /** @type {number | undefined} */
  #gathering;
  /** @type {number | undefined} */
  #counting;
  #hovered = false;
  #opened; // in seconds; 0: new rows are put into their place
  #chips = new Deltas();
  /** @type {number | undefined} */
  #looking;
  #inSight = "";

  constructor(body) {
    this.#body = body;
    this.#heads = [...body.closest("table").tHead.rows[0].cells].map((cell) => cell.classList[0]);
    this.#opened = Number(body.dataset.opened ?? 0);
    body.addEventListener("pointerenter", () => (this.#hovered = true));
    // Leaving shows nothing yet: the pointer may be on its way to the button.
    body.addEventListener("pointerleave", () => (this.#hovered = false));
    this.#pill?.addEventListener("click", () => {
      if (this.#opened) location.reload();
      else this.#showWaiting(true);
    });
    document.addEventListener("request:acted", (event) => this.#ask(event.detail.id, null));
    live.on("changed", ({ rows, html }) => this.#changed(rows, html));
    live.watchTable({ html: this.#isWhole() });
    const look = () => this.#look();
    window.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look, { passive: true });
    document.addEventListener("visibilitychange", look);
    this.#look();
  }

  /** Say which open rows can be seen, once the page stands still. */
  #look() {
    clearTimeout(this.#looking);
    this.#looking = setTimeout(() => {
      const ids = document.hidden ? [] : this.#openInSight();
      if (ids.join() === this.#inSight) return;
      this.#inSight = ids.join();
      live.followRows(ids);
    }, SIGHT_MS);
  }

  #openInSight() {
    const seen = [...this.#body.rows].filter((row) => {
      const { top, bottom } = row.getBoundingClientRect();
      return !ENDED.has(row.dataset.status) && bottom > 0 && top < innerHeight;
    });
    return seen.slice(0, MOST_IN_SIGHT).map(idOf);
  }

  #row(id) {
    return this.#body.querySelector(`#${CSS.escape(`request-${id}`)}`);
  }

  /** Without a search or an order every row of the team belongs here as it is pushed: no question is needed. */
  #isWhole() {
    return !this.#body.dataset.query;
  }

  #changed(rows, html) {
    const pushed = this.#isWhole() ? rowsOf(html, this.#heads) : [];
    for (const row of pushed) if (this.#isWanted(idOf(row))) this.#put(row, {});
    if (pushed.length) this.#count();
    const ids = new Set(pushed.map(idOf));
    for (const [id, seq] of rows) if (!ids.has(id)) this.#ask(id, seq);
  }

  #isWanted(id) {
    const hasNew = "firstPage" in this.#body.dataset || this.#opened > 0;
    return Boolean(this.#row(id) ?? this.#waiting.get(id)) || hasNew;
  }

  #ask(id, seq) {
    const shown = this.#row(id) ?? this.#waiting.get(id);
    if (shown && seq !== null && Number(shown.dataset.seq) >= seq) return;
    if (this.#isWanted(id)) this.#asked.set(id, seq);
    this.#count();
    this.#gathering ??= setTimeout(() => this.#fetchAsked(), GATHER_MS);
  }

  async #fetchAsked() {
    const ids = [...this.#asked.keys()].slice(0, BATCH);
    for (const id of ids) this.#asked.delete(id);
    try {
      if (ids.length) await this.#fetch(ids);
    } catch {
      // The light says that the server is away; the next answer of `changes` names these rows again.
    }
    this.#gathering = this.#asked.size ? setTimeout(() => this.#fetchAsked(), GATHER_MS) : undefined;
  }

  async #fetch(ids) {
    const { rows, missing } = await this.#get(ids, this.#body.dataset.query);
    rows.forEach((row) => this.#put(row, {}));
    for (const id of missing) this.#drop(id);
    const told = new Set([...rows.map(idOf), ...missing]);
    for (const id of ids) if (!told.has(id)) this.#deleted(id);
    const inPage = missing.filter((id) => this.#row(id));
    if (inPage.length) (await this.#get(inPage, "")).rows.forEach((row) => this.#put(row, { gone: true }));
  }

  async #get(ids, query) {
    const reply = await request(
      `${this.#body.dataset.rows}?ids=${ids.join(",")}${query ? `&${query}` : ""}`,
      {
        redirect: "error",
      },
    );
    if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
    const missing = (reply.headers.get("X-Missing") ?? "").split(",").filter(Boolean);
    return { rows: rowsOf(await reply.text(), this.#heads), missing };
  }

  /** The one way a row enters the page: never an older version over a newer one. */
  #put(fresh, { gone = false }) {
    const id = idOf(fresh);
    const old = this.#row(id);
    if (old) {
      this.#replace(old, fresh, gone);
    } else if (this.#belongsHere(fresh)) {
      const before = this.#waiting.get(id);
      if (before && Number(before.dataset.seq) > Number(fresh.dataset.seq)) return;
      this.#waiting.set(id, fresh);
      if (this.#opened || this.#isBusy()) this.#showPill();
      else this.#showWaiting();
    }
  }

  #belongsHere(fresh) {
    if (this.#opened) return Number(fresh.dataset.created) >= this.#opened; // its place may be on any page
    const last = this.#body.rows[this.#body.rows.length - 1];
    const isOlder = last && Number(fresh.dataset.created) < Number(last.dataset.created);
    return !(isOlder && document.querySelector(".pager a[rel=next]"));
  }

  #replace(old, fresh, gone) {
    if (Number(fresh.dataset.seq) < Number(old.dataset.seq)) return;
    const isMoved = fresh.dataset.status !== old.dataset.status;
    const focused = [...old.querySelectorAll(FOCUSABLE)].indexOf(document.activeElement);
    keepTick(old, fresh);
    keepAddress(old, fresh);
    keepStar(old, fresh);
    if (old.querySelector(".row-actions")?.matches(":hover")) this.#holdActions(fresh);
    adopt(fresh);
    old.replaceWith(fresh);
    this.#look();
    fresh.classList.toggle("row-gone", gone);
    if (gone) fresh.title = "It no longer matches the filters";
    if (focused >= 0) [...fresh.querySelectorAll(FOCUSABLE)][focused]?.focus({ preventScroll: true });
    if (isMoved) {
      mark(fresh);
      count(fresh.dataset.status.replace("_", " "));
    }
  }

  #holdActions(fresh) {
    const actions = fresh.querySelector(".row-actions");
    actions.inert = true;
    setTimeout(() => (actions.inert = false), INERT_MS);
  }

  /** There is no such request any more. */
  #deleted(id) {
    this.#drop(id);
    this.#row(id)?.remove();
  }

  #drop(id) {
    if (this.#waiting.delete(id)) this.#showPill();
  }

  #isBusy() {
    const selection = document.getSelection();
    const selecting = selection && !selection.isCollapsed && this.#body.contains(selection.anchorNode);
    const ticking = this.#body.querySelector(".row-check:checked");
    return (
      this.#hovered || selecting || ticking || scrollY > 80 || this.#body.contains(document.activeElement)
    );
  }

  #showPill() {
    if (!this.#pill) return;
    this.#pill.hidden = this.#waiting.size === 0;
    this.#pill.textContent = `+${this.#waiting.size > 99 ? "99" : this.#waiting.size} new`;
  }

  #showWaiting(asked = false) {
    const rows = [...this.#waiting.values()];
    this.#waiting.clear();
    this.#showPill();
    rows.forEach((row) => this.#insert(row));
    if (asked) scrollTo({ top: 0 });
  }

  #insert(fresh) {
    document.getElementById("empty")?.remove();
    document.getElementById("list-tools")?.removeAttribute("hidden");
    this.#body.closest("[hidden]")?.removeAttribute("hidden");
    adopt(fresh);
    const next = [...this.#body.rows].find(
      (row) => Number(row.dataset.created) < Number(fresh.dataset.created),
    );
    this.#body.insertBefore(fresh, next ?? null);
    this.#look();
    mark(fresh);
    count("new");
    this.#trim();
  }

  #trim() {
    /** @type {HTMLAnchorElement | null} */
    const older = document.querySelector(".pager a[rel=next]");
    while (this.#body.rows.length > MOST_ROWS && older) {
      this.#body.rows[this.#body.rows.length - 1].remove();
      const url = new URL(older.href);
      url.searchParams.set("older", this.#body.rows[this.#body.rows.length - 1].id.replace("request-", ""));
      older.href = url.href;
    }
  }

  #count() {
    if (!this.#body.dataset.counts) return;
    // Jitter: one change must not make all open pages ask at the same moment.
    this.#counting ??= setTimeout(() => this.#fetchCounts(), COUNTS_MS * (1 + Math.random()));
  }

  async #fetchCounts() {
    this.#counting = undefined;
    if (document.hidden) return;
    try {
      // A list that was empty has no chips; the reply says as well whether another team is chosen by now.
      const reply = await request(`${this.#body.dataset.counts}?${this.#body.dataset.query}`);
      const chips = document.getElementById("counts");
      if (!reply.ok || !chips) return;
      const template = document.createElement("template");
      template.innerHTML = await reply.text();
      const fresh = template.content.querySelectorAll(".chip");
      // Word by word: a replaced link would lose its focus.
      chips.querySelectorAll(".chip").forEach((chip, index) => {
        const [shown, now] = [chip, fresh[index]].map(
          (one) => /** @type {HTMLElement} */ (one.querySelector(".chip-count")),
        );
        shown.textContent = now.textContent;
        this.#chips.show(chip, index);
        chip.toggleAttribute("data-zero", fresh[index].hasAttribute("data-zero"));
      });
    } catch {
      // the next change asks again
    }
  }
}

/** A tick stays with its request while the row changes. */
function keepTick(old, fresh) {
  const [before, now] = [old, fresh].map((row) => row.querySelector(".row-check"));
  if (before && now) now.checked = before.checked;
}

/** Its link names the search of this list; a row that is fetched without one does not. */
function keepAddress(old, fresh) {
  const [before, now] = [old, fresh].map((row) => row.querySelector(".row-link"));
  now.href = before.href;
}

/** A pushed row does not know whose page it is, and one that was fetched may be older than a click on the star. */
function keepStar(old, fresh) {
  const [before, now] = [old, fresh].map((row) => row.querySelector("[data-star]"));
  if (before && now && !("unknown" in before.dataset)) now.replaceWith(before);
}

const idOf = (row) => row.id.replace("request-", "");

/** Rows are rendered once for all users, who order their columns differently: this table's head says the order. */
function rowsOf(html, heads) {
  const template = document.createElement("template");
  template.innerHTML = html;
  const rows = [...template.content.querySelectorAll("tr")];
  for (const row of rows) {
    const cells = new Map([...row.cells].map((cell) => [cell.classList[0], cell]));
    row.replaceChildren(...heads.flatMap((name) => cells.get(name) ?? []));
  }
  return rows;
}

function adopt(row) {
  window.htmx?.process(row);
  refreshTimes(row);
  dropLost(row);
}

function mark(row) {
  row.classList.add("row-changed");
  setTimeout(() => row.classList.remove("row-changed"), SHOWN_MS);
}

for (const body of document.querySelectorAll("tbody[data-rows]")) new Rows(body);
