// The strip of the endpoint's last runs: kept up to date, and a click loads a run's input into the form.

import { request } from "../lib/http.js";
import { dropLost } from "../lib/lostmedia.js";
import { live } from "../lib/socket.js";
import { refreshTimes } from "../lib/time.js";
import { toast } from "../lib/toasts.js";
import { compose } from "./form.js";
import { result } from "./result.js";

const SOON_MS = 150; // after a change of a run in the strip
const LATER_MS = 1000; // after a change of another request, which may be a new run of the endpoint
const PAUSE_MS = 400; // while an endpoint is typed

const MOST = 4; // to compare

const tick = (run) => run.querySelector("input");
const place = /** @type {HTMLElement} */ (document.getElementById("runs-place"));
const endpoint = /** @type {HTMLInputElement} */ (document.getElementById("id_endpoint_id"));

class Runs {
  /** @type {number | undefined} */
  #timer;
  #due = 0;
  #loaded = /** @type {HTMLElement} */ (document.getElementById("loaded"));
  /** @type {{ input: string, mode: string } | null} what stood in the form before a run was loaded */
  #before = null;

  constructor() {
    endpoint.addEventListener("input", () => this.#refreshIn(PAUSE_MS));
    document.addEventListener("request:created", () => this.#refreshIn(SOON_MS));
    document.addEventListener("runs:choose", ({ detail }) => this.#choose(detail.ids));
    live.on("changed", ({ rows }) => this.#changed(rows));
    live.watchTable();
    place.addEventListener("click", (event) => this.#clicked(event));
    place.addEventListener("change", () => this.#count());
    this.#count();
    document.addEventListener("result:shown", () => this.#mark());
    this.#loaded.querySelector("[data-undo]")?.addEventListener("click", () => this.#undo());
  }

  // --- kept up to date ---

  #changed(rows) {
    for (const [id, seq] of rows) {
      const run = document.getElementById(`run-${id}`);
      if (!run) this.#refreshIn(LATER_MS);
      else if (seq === null || seq > Number(run.dataset.seq)) this.#refreshIn(SOON_MS);
    }
  }

  /** The earliest wish counts. */
  #refreshIn(ms) {
    const due = performance.now() + ms;
    if (this.#timer && this.#due <= due) return;
    clearTimeout(this.#timer);
    this.#due = due;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#refresh();
    }, ms);
  }

  async #refresh() {
    const name = endpoint.value.trim();
    try {
      const reply = await request(`${place.dataset.url}?endpoint=${encodeURIComponent(name)}`);
      if (reply.ok && endpoint.value.trim() === name) this.#put(await reply.text());
    } catch {
      // The connection light tells; the next change asks again.
    }
  }

  /** A run that did not change stays the element it is, with its picture, focus and mark. */
  #put(html) {
    const page = new DOMParser().parseFromString(html, "text/html");
    const focused = document.activeElement?.closest(".run")?.id;
    for (const fresh of page.querySelectorAll(".run")) {
      const old = document.getElementById(fresh.id);
      if (!old) continue;
      tick(fresh).checked = tick(old).checked;
      if (Number(old.dataset.seq) >= Number(fresh.dataset.seq)) fresh.replaceWith(old);
    }
    place.replaceChildren(...page.body.childNodes);
    refreshTimes(place);
    dropLost(place);
    this.#mark();
    this.#count();
    if (focused) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
  }

  #mark() {
    const shown = document.getElementById("result")?.dataset.shows;
    for (const run of place.querySelectorAll(".run")) {
      const link = run.querySelector(".run-open");
      if (run.dataset.run === shown) link?.setAttribute("aria-current", "true");
      else link?.removeAttribute("aria-current");
    }
  }

  /** Two to four can be compared. */
  #count() {
    /** @type {HTMLButtonElement | null} */
    const button = place.querySelector(".runs-head button");
    if (!button) return;
    const chosen = place.querySelectorAll(".run-tick :checked").length;
    button.disabled = chosen < 2 || chosen > MOST;
    const words = /** @type {HTMLElement} */ (document.getElementById("runs-chosen"));
    words.textContent =
      chosen > MOST ? `${chosen} are ticked: ${MOST} at most.` : "Compares up to four: tick which.";
  }

  /** Tick the first of these runs alone; the user chooses others. */
  async #choose(/** @type {string[]} */ ids) {
    await this.#refresh(); // the newest may not be there yet
    const chosen = ids.slice(0, MOST);
    for (const run of place.querySelectorAll(".run"))
      tick(run).checked = chosen.includes(run.dataset.run ?? "");
    this.#count();
    place.scrollIntoView({ block: "nearest" });
    document.getElementById(`run-${ids[0]}`)?.querySelector("input")?.focus();
  }

  // --- a click loads ---

  #clicked(event) {
    const link = event.target instanceof Element && event.target.closest(".run-open");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    this.#load(link.closest(".run"));
  }

  async #load(run) {
    result?.show(run.dataset.run);
    try {
      const reply = await request(run.dataset.input);
      if (reply.status === 404) throw new Error("it was removed");
      if (!reply.ok) throw new Error(`the server answers ${reply.status}`);
      this.#take(await reply.text(), run.dataset.mode);
    } catch (/** @type {any} */ error) {
      toast(`The input could not be loaded: ${error.message}.`, { error: true });
    }
  }

  #take(input, mode) {
    const before = compose?.put({ input, mode });
    if (!before || (before.input === input && before.mode === mode)) return;
    this.#before = before;
    const words = /** @type {HTMLElement} */ (this.#loaded.querySelector("[data-words]"));
    words.textContent = "The input of that run is in the form.";
    this.#loaded.hidden = false;
  }

  #undo() {
    if (this.#before) compose?.put(this.#before);
    this.#loaded.hidden = true;
    document.getElementById("id_input")?.focus();
  }
}

if (place) new Runs();
