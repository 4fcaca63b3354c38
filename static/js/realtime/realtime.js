// The realtime page: sessions side by side as tabs, each with a socket, a composer and a list of its own.

import { announce } from "../lib/announce.js";
import { present } from "../lib/time.js";
import { Composer } from "./composer.js";
import { found } from "../lib/drafts.js";
import { request } from "../lib/http.js";
import { formatted } from "../lib/jsontext.js";
import { FrameDetail } from "../record/framedetail.js";
import { FrameList } from "../record/frames.js";
import { sizeOf, spanOf } from "../record/frametext.js";
import { keepName } from "./keptname.js";
import { Session } from "./session.js";
import { SessionDraft } from "./sessiondraft.js";
import { headersProblem, optionsOf, optionTable } from "../lib/options.js";
import { onOwnRequest } from "../lib/ownrequests.js";
import { live } from "../lib/socket.js";
import { askTeam, madeFor } from "../lib/team.js";
import { toast } from "../lib/toasts.js";

const MOST_TABS = 8;
const KEPT_FRAMES = 1000;
const RECENT = 100; // round trips the median is taken of
const COUNT_MS = 200;
const LIST_MS = 1000; // the list of the team's sessions is asked for once a second at most
const CALM = new Set(["normal", "timeout", "disconnected"]);
const WORDS = { idle: "not connected", connecting: "connecting…", open: "open", ended: "ended" };

const bench = /** @type {HTMLElement} */ (document.getElementById("workbench"));
const table = bench ? optionTable() : [];

/** One tab: the panel is cloned from the page's template. */
class SessionTab {
  session = new Session();
  #counts;
  /** @type {number | undefined} */
  #timer;
  #loading = ""; // the address of the saved message that was chosen last

  constructor(panel, tab) {
    this.panel = panel;
    this.tab = tab;
    this.form = panel.querySelector("[data-connect]");
    this.composer = new Composer(panel.querySelector("[data-composer]"), this.session);
    const frames = panel.querySelector("[data-frames-root]");
    this.detail = new FrameDetail(frames, {
      base: () => `${this.session.url}frames/`,
      reuse: (text, kind) => this.composer.write(formatted(text), kind),
      closed: () => this.list.mark(null),
      pairOf: (frame) => this.list.pairOf(frame),
      go: (frame) => this.list.choose(frame),
    });
    this.list = new FrameList(frames, {
      keep: KEPT_FRAMES,
      open: (frame) => this.detail.open(frame),
      cleared: () => this.detail.close(),
    });
    this.#listen();
    this.draft = new SessionDraft(panel, {
      origin: bench.dataset.again,
      composer: this.composer,
      changed: () => this.#putBack(),
    });
    this.#name();
    this.#fresh();
  }

  #listen() {
    const { session, form, panel } = this;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#connect();
    });
    form.addEventListener("input", () => this.#name());
    keepName(panel.querySelector(".kept"));
    form.elements.endpoint_id.addEventListener("change", () => this.#renewKept());
    onOwnRequest(panel.querySelector(".kept"), "htmx:afterRequest", ({ successful, requestConfig }) => {
      // Another endpoint was typed or restored while the list was on its way.
      const isOther = requestConfig.parameters.endpoint_id !== form.elements.endpoint_id.value;
      if (successful && isOther) this.#renewKept();
    });
    this.#part("disconnect").addEventListener("click", () => session.disconnect());
    this.#part("reconnect").addEventListener("click", () => this.#connect());
    session.on("state", (detail) => this.#turned(detail.state));
    session.on("begun", (detail) => this.#begun(detail));
    session.on("frame", (detail) => this.#take(detail));
    session.on("missed", (detail) => this.list.miss(detail.missed));
    session.on("ended", (detail) => this.#ended(detail));
    session.on("capped", (detail) => (this.list.recordEnd = detail.frame));
    for (const type of ["problem", "capped"]) {
      session.on(type, (detail) => this.#notice(detail.message));
    }
    panel.addEventListener("click", ({ target }) => {
      const load = target.closest("[data-load]");
      if (load) this.#load(load.dataset.load);
    });
  }

  /** Put a saved message into the composer; of two that were chosen in a row, the later one. */
  async #load(url) {
    this.#loading = url;
    const text = await textOf(url);
    if (text !== null && this.#loading === url) this.composer.write(text);
  }

  #connect() {
    const { headers } = this.form.elements;
    headers.setCustomValidity(headersProblem(headers.value));
    if (headers.validationMessage) this.#part("connect-options").open = true; // or it could not be shown
    if (!this.form.reportValidity()) return;
    const { endpoint_id: endpoint, path, max_buffering: buffering, auth } = this.form.elements;
    this.#fresh();
    this.session.connect(bench.dataset.socket, {
      endpoint: endpoint.value, // the server strips spaces, and refuses what only looks like one
      path: path.value.trim() || "/realtime",
      max_buffering: buffering.value ? Number(buffering.value) : null,
      auth: auth.value,
      ...optionsOf(this.form.elements, table),
      made_for: madeFor(),
    });
  }

  #fresh() {
    this.#counts = { in: 0, out: 0, bytes: 0, trips: [] };
    this.list.recordEnd = null;
    this.list.clear();
    this.#part("ending").hidden = this.#part("notice").hidden = true;
    this.#part("record").hidden = true;
    this.#count();
  }

  /** Fields were filled by the page, not typed. */
  #putBack() {
    this.#name();
    this.#renewKept();
  }

  /** The saved messages are those of the endpoint. */
  #renewKept() {
    window.htmx?.trigger(this.panel.querySelector(".kept"), "renew");
  }

  #name() {
    const endpoint = this.form.elements.endpoint_id.value.trim();
    this.tab.querySelector("[data-tab-name]").textContent = endpoint || "New session";
  }

  #turned(state) {
    const isAlive = this.session.isAlive;
    const chip = this.#part("state");
    chip.dataset.state = this.tab.dataset.state = state;
    chip.textContent = WORDS[state];
    for (const field of this.form.querySelectorAll("input, textarea")) field.readOnly = isAlive;
    for (const field of this.form.querySelectorAll(".options select, .options [type=checkbox]"))
      field.disabled = isAlive;
    this.form.elements.auth.disabled = isAlive;
    this.#part("connect-button").hidden = isAlive;
    this.#part("disconnect").hidden = !isAlive;
    if (state === "open") {
      announce("Connected.");
      this.panel.querySelector("[name=text]").focus({ preventScroll: true });
    }
  }

  #begun({ url }) {
    this.#part("record").href = `${url}?tab=events`;
    this.#part("record").hidden = false;
    this.list.root.dataset.began = present().toISOString();
    sessionsChanged();
  }

  #take(frame) {
    this.list.add(frame);
    this.#counts[frame.direction] += 1;
    this.#counts.bytes += frame.size;
    if (frame.rtt_ms != null) this.#counts.trips = [...this.#counts.trips.slice(1 - RECENT), frame.rtt_ms];
    this.#timer ??= setTimeout(() => this.#count(), COUNT_MS);
  }

  #count() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const { in: received, out, bytes, trips } = this.#counts;
    this.#part("sent-count").textContent = out.toLocaleString("en");
    this.#part("received-count").textContent = received.toLocaleString("en");
    this.#part("bytes-count").textContent = sizeOf(bytes);
    const middle = [...trips].sort((one, other) => one - other)[Math.floor(trips.length / 2)];
    this.#part("trip").textContent = middle === undefined ? "–" : spanOf(middle);
  }

  /** In words, and in the colour it deserves: most sessions end well. */
  #ended({ kind, code, reason, http_code: httpCode, sentence, team }) {
    const box = this.#part("ending");
    const isLost = kind === "lost";
    box.className = `notice session-ending notice-${CALM.has(kind) ? "info" : isLost ? "warning" : "error"}`;
    this.#part("ending-sentence").textContent = sentence;
    const closed = code == null ? "" : `close code ${code}${reason ? `, “${reason}”` : ""}`;
    this.#part("ending-code").textContent = httpCode == null ? closed : `HTTP ${httpCode}`;
    box.hidden = false;
    announce(`The session ended. ${sentence}`);
    sessionsChanged();
    if (team) askTeam(team).then((isSent) => isSent && this.#connect());
  }

  #notice(message) {
    this.#part("notice-words").textContent = message;
    this.#part("notice").hidden = false;
    announce(message);
  }

  #part(name) {
    return this.panel.querySelector(`[data-${name}]`);
  }
}

class Workbench {
  #tabs = [];
  #next = 1;
  #list = /** @type {HTMLElement} */ (document.getElementById("session-tabs"));
  #panels = /** @type {HTMLElement} */ (document.getElementById("session-panels"));
  #dialog = /** @type {HTMLDialogElement} */ (document.getElementById("end-session"));
  #leaving = null; // the tab the dialog asks about

  constructor() {
    document.getElementById("add-session")?.addEventListener("click", () => this.#add());
    this.#list.addEventListener("click", ({ target }) => this.#clicked(target));
    this.#list.addEventListener("keydown", (event) => this.#keys(event));
    this.#dialog.addEventListener(
      "close",
      () => this.#dialog.returnValue === "end" && this.#remove(this.#leaving),
    );
    window.addEventListener("beforeunload", (event) => {
      if (this.#tabs.some(({ session, draft }) => session.isAlive || draft.isLost)) event.preventDefault();
    });
    this.#restore();
  }

  /** The sessions this browser tab had typed for, or else the newest message that was typed anywhere. */
  #restore() {
    const endpoint = bench.dataset.again ? "" : bench.dataset.endpoint;
    const drafts = found("realtime", { origin: bench.dataset.again, endpoint });
    const mine = drafts.filter(({ isMine }) => isMine).sort((one, other) => one.made - other.made);
    const wanted = (mine.length ? mine : drafts.slice(0, 1)).slice(0, MOST_TABS);
    this.#add();
    this.#tabs[0].draft.restore(wanted[0]);
    for (const record of wanted.slice(1)) this.#add()?.draft.restore(record);
    this.#show(this.#tabs[0]);
  }

  #add() {
    if (this.#tabs.length >= MOST_TABS) {
      toast(`At most ${MOST_TABS} sessions in one page; close one first.`);
      return null;
    }
    const key = this.#next++;
    const panel = cloneOf("session-template");
    const tab = cloneOf("tab-template");
    const button = /** @type {HTMLElement} */ (tab.querySelector("[role=tab]"));
    Object.assign(panel, { id: `session-panel-${key}` });
    panel.setAttribute("aria-labelledby", `session-tab-${key}`);
    Object.assign(button, { id: `session-tab-${key}` });
    button.setAttribute("aria-controls", panel.id);
    this.#like(panel);
    this.#list.append(tab);
    this.#panels.append(panel);
    window.htmx?.process(panel);
    const made = new SessionTab(panel, tab);
    this.#tabs.push(made);
    this.#show(made);
    if (this.#tabs.length > 1) made.form.elements.endpoint_id.focus();
    return made;
  }

  /** A further session begins with what the present one has. */
  #like(panel) {
    const present = this.#present();
    if (!present) return;
    const names = [
      "endpoint_id",
      "path",
      "max_buffering",
      "auth",
      "headers",
      "text",
      ...table.map(({ name }) => name),
    ];
    for (const field of names.map((name) => panel.querySelector(`[name=${name}]`)).filter(Boolean)) {
      const model = present.panel.querySelector(`[name=${field.name}]`);
      field.value = model.value;
      field.checked = model.checked;
    }
  }

  #present() {
    return this.#tabs.find(({ panel }) => !panel.hidden);
  }

  #show(chosen) {
    for (const one of this.#tabs) {
      const button = one.tab.querySelector("[role=tab]");
      one.panel.hidden = one !== chosen;
      button.setAttribute("aria-selected", String(one === chosen));
      button.tabIndex = one === chosen ? 0 : -1;
    }
    for (const { tab } of this.#tabs) tab.querySelector("[data-close-tab]").hidden = this.#tabs.length === 1;
    chosen.tab.scrollIntoView({ block: "nearest", inline: "nearest" });
    chosen.list.write();
  }

  #clicked(target) {
    const tab = this.#tabs.find((one) => one.tab.contains(target));
    if (!tab) return;
    if (!target.closest("[data-close-tab]")) this.#show(tab);
    else if (!tab.session.isAlive) this.#remove(tab);
    else {
      this.#leaving = tab;
      this.#dialog.returnValue = "";
      this.#dialog.showModal();
    }
  }

  #remove(tab) {
    tab.session.close();
    tab.draft.discard();
    const at = this.#tabs.indexOf(tab);
    this.#tabs.splice(at, 1);
    tab.tab.remove();
    tab.panel.remove();
    const next = this.#tabs[Math.min(at, this.#tabs.length - 1)];
    this.#show(next);
    next.tab.querySelector("[role=tab]").focus();
  }

  #keys({ key }) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const here = this.#tabs.indexOf(this.#present());
    const next = this.#tabs[(here + step + this.#tabs.length) % this.#tabs.length];
    this.#show(next);
    next.tab.querySelector("[role=tab]").focus();
  }
}

/** The text of a saved message; null when it cannot be had, which a toast tells. */
async function textOf(url) {
  try {
    const reply = await request(url);
    if (reply.ok) return await reply.text();
    toast(reply.status === 404 ? "This message was deleted." : `The server answers ${reply.status}.`);
  } catch {
    toast("The message cannot be loaded: the server cannot be reached.");
  }
  return null;
}

/** A copy of what stands in a <template>. */
function cloneOf(id) {
  const { content } = /** @type {HTMLTemplateElement} */ (document.getElementById(id));
  return /** @type {HTMLElement} */ (content.firstElementChild?.cloneNode(true));
}

/** @type {number | undefined} */
let listTimer;

/** The list of the team's sessions below the workbench is asked for anew. */
function sessionsChanged() {
  listTimer ??= setTimeout(() => {
    listTimer = undefined;
    window.htmx?.trigger("#team-sessions", "renew");
  }, LIST_MS);
}

if (document.getElementById("team-sessions")) {
  live.on("changed", sessionsChanged);
  live.watchTable();
}
if (bench) new Workbench();
