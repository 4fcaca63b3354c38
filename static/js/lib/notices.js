// Tells a user whose tabs are in the background which requests have ended: a count in the title of each hidden tab, and
// browser notifications by choice (noticechoice.js). The button "Tell me" (data-tell) chooses a single request.
//
// One tab of the browser, which holds a lock, asks the server and notifies; it tells the others by a channel, and each
// counts for itself. It begins when a tab is hidden or when there is something to tell. The channel also says whether
// the user looks at one of the tabs: they then get a short message there instead.

import { request } from "./http.js";
import { choice, LONG_S } from "./noticechoice.js";
import { live } from "./socket.js";
import { toast } from "./toasts.js";

const GATHER_MS = 1000;
const LOOK_MS = 30_000; // for changes that no socket told
const ANSWER_MS = 300;
const LATE_S = 15;
const { user, endedUrl = "" } = document.body.dataset;

class Notices {
  #pages = new BroadcastChannel(`faldeck-notices-${user}`);
  #counted = new Set();
  #count = 0;
  #hiddenAt = 0;
  #leads = false;
  #watches = false;
  #asking = false;
  /** @type {number | undefined} */
  #timer;
  /** @type {(() => void) | null} while the others are asked whether they are looked at */
  #seen = null;

  constructor() {
    this.#pages.addEventListener("message", ({ data }) => this.#heard(data));
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#hidden() : this.#shown()));
    document.addEventListener("click", ({ target }) => {
      const button = target instanceof Element ? target.closest("[data-tell]") : null;
      if (button instanceof HTMLElement) this.#press(button);
    });
    this.#lead();
    if (document.hidden) this.#hidden();
    else if (choice.standing !== "none" || choice.told.length) this.#watch();
  }

  async #lead() {
    // Without locks (plain http) there are no notifications either, and each tab counts for itself.
    if (navigator.locks)
      await new Promise((got) => navigator.locks.request(this.#pages.name, () => hold(got)));
    this.#leads = true;
    if (this.#watches) this.#begin();
  }

  /** There may be something to tell from now on: whichever tab leads begins to ask. */
  #watch() {
    this.#pages.postMessage({ watch: true });
    if (this.#watches) return;
    this.#watches = true;
    if (this.#leads) this.#begin();
  }

  #begin() {
    live.on("changed", () => this.#soon());
    live.watchTable();
    setInterval(() => this.#ask(), LOOK_MS);
    this.#ask();
  }

  #soon() {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#ask();
    }, GATHER_MS);
  }

  #hidden() {
    this.#hiddenAt = Date.now();
    this.#watch();
  }

  #shown() {
    this.#count = 0;
    document.title = document.title.replace(/^\(\d+\) /, "");
  }

  async #ask() {
    if (this.#asking) return;
    this.#asking = true;
    try {
      const { seq, at } = choice.looked;
      const query = new URLSearchParams(seq === null ? {} : { since: String(seq) });
      if (choice.told.length) query.set("tell", choice.told.join());
      const reply = await request(`${endedUrl}?${query}`, { headers: { Accept: "application/json" } });
      if (!reply.ok) return;
      const news = await reply.json();
      choice.seq = news.seq;
      if (!news.ended.length) return;
      this.#pages.postMessage({ ended: news.ended });
      this.#add(news.ended);
      // The server tells a little more than what is new, for commits may overtake each other.
      const since = (Date.now() - at) / 1000 + LATE_S;
      for (const row of news.ended)
        if ((choice.tells(row.id) || (row.age_s < since && isWanted(row))) && choice.claim(row.id))
          await this.#tell(row);
    } catch {
      // The connection light tells; the next change asks again.
    } finally {
      this.#asking = false;
    }
  }

  #heard({ watch, ended, looking, seen }) {
    if (watch && !this.#watches) {
      this.#watches = true;
      if (this.#leads) this.#begin();
    }
    if (ended) this.#add(ended);
    if (looking && isLookedAt()) {
      this.#pages.postMessage({ seen: true });
      toastOf(looking);
    }
    if (seen) this.#seen?.();
  }

  /** Count what ended while this tab was hidden. */
  #add(ended) {
    if (!document.hidden) return;
    const hidden_s = (Date.now() - this.#hiddenAt) / 1000;
    const fresh = ended.filter(({ id, mine, age_s }) => mine && age_s <= hidden_s && !this.#counted.has(id));
    if (!fresh.length) return;
    for (const { id } of fresh) this.#counted.add(id);
    this.#count += fresh.length;
    document.title = `(${this.#count}) ${document.title.replace(/^\(\d+\) /, "")}`;
  }

  async #tell(row) {
    choice.setTells(row.id, false);
    if (isLookedAt()) return toastOf(row);
    if (await this.#isSeenElsewhere(row)) return;
    if (choice.permission !== "granted") return;
    try {
      // The same tag: should a second tab tell of it all the same, its notification takes the place of the first.
      const shown = new Notification(row.title, { body: row.body, tag: `faldeck-${row.id}` });
      shown.addEventListener("click", () => {
        shown.close();
        window.open(row.url, "_blank", "noopener");
      });
    } catch {
      // Chrome on Android has notifications for service workers alone.
    }
  }

  /** Ask the other tabs; the one that is looked at shows it. */
  #isSeenElsewhere(row) {
    return new Promise((done) => {
      const end = (answer) => {
        this.#seen = null;
        done(answer);
      };
      this.#seen = () => end(true);
      this.#pages.postMessage({ looking: row });
      setTimeout(() => end(false), ANSWER_MS);
    });
  }

  async #press(button) {
    const id = button.dataset.tell;
    const on = !choice.tells(id);
    choice.setTells(id, on);
    showTells(document);
    if (!on) return;
    this.#watch();
    const obstacle = await choice.allow();
    if (obstacle) toast(obstacle, { error: true });
  }
}

const hold = (got) => {
  got();
  return new Promise(() => {});
};

const isLookedAt = () => !document.hidden && document.hasFocus();

/** On the request's own page its end is seen. */
function toastOf({ id, title }) {
  if (document.querySelector(`[data-request="${CSS.escape(id)}"]`)) return;
  toast(title);
}

function isWanted({ mine, failed, seconds }) {
  const { standing } = choice;
  if (!mine || standing === "none") return false;
  return standing === "all" || (standing === "failed" ? failed : seconds > LONG_S);
}

/** Show the buttons "Tell me" as they were pressed. */
export function showTells(root) {
  for (const button of root.querySelectorAll("[data-tell]")) {
    button.hidden = false;
    button.setAttribute("aria-pressed", String(choice.tells(button.dataset.tell)));
  }
}

if (user && endedUrl) {
  new Notices();
  showTells(document);
}
