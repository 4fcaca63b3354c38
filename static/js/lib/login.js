// Whether the person of this page is still logged in, and what happens when not.
//
//   login.ended()              a reply or a socket said so: asks the server, then shows "You are logged out · Log in"
//   login.renew()              true when the page's person is logged in (again): the page has a fresh CSRF token then
//   login.later(key, act)      do it when the person is logged in again, within REPEAT_MS; one act for each key
//   login.on("ended" | "resumed", handler)
//
// The log-in is made in another tab, so that what was typed here stays. Every page tells the others that it was
// loaded; one that waits then asks again. A page never goes on for another person than the one it was made for.

const REPEAT_MS = 15 * 60_000; // a wish that is older is not carried out by itself
const LOOK_MS = 60_000; // who comes back to the page after so long hears at once that the log-in is over
const user = document.body.dataset.user;
const bar = /** @type {HTMLElement} */ (document.getElementById("logged-out"));

class Login {
  #target = new EventTarget();
  #isOut = false;
  #waiting = new Map(); // key -> {act, at}
  /** @type {Promise<boolean> | null} the question that is on its way */
  #asking = null;
  #mayBeStale = false; // another page was loaded: it may have come with a log-in
  #askedAt = Date.now();

  constructor() {
    if (!user) return;
    const pages = new BroadcastChannel("faldeck-pages");
    pages.addEventListener("message", () => this.#heard());
    pages.postMessage("loaded");
    window.addEventListener("focus", () => this.#look());
    window.addEventListener("pageshow", ({ persisted }) => persisted && this.#heard());
    document.addEventListener("visibilitychange", () => document.hidden || this.#look());
  }

  get isOut() {
    return this.#isOut;
  }

  on(type, handler) {
    this.#target.addEventListener(type, handler);
  }

  later(key, act) {
    this.#waiting.set(key, { act, at: Date.now() });
  }

  ended() {
    if (user) this.renew();
  }

  renew() {
    this.#asking ??= this.#ask().finally(() => (this.#asking = null));
    return this.#asking;
  }

  async #ask() {
    this.#askedAt = Date.now();
    const { sessionUrl = "" } = document.body.dataset;
    const reply = await fetch(sessionUrl, { redirect: "error" }).catch(() => null);
    if (reply?.status === 401) this.#out("");
    if (!reply?.ok) return false;
    const { user: now, name, csrf } = await reply.json();
    if (String(now) !== user) {
      this.#out(name);
      return false;
    }
    this.#mayBeStale = false;
    putToken(csrf);
    if (this.#isOut || this.#waiting.size) this.#resume();
    return true;
  }

  /** `other` is the name of another user who is logged in now. */
  #out(other) {
    const part = (name) => /** @type {HTMLElement} */ (bar.querySelector(`[data-${name}]`));
    part("sentence").textContent = other
      ? `You are now logged in as ${other}. This page was opened by ${document.body.dataset.userName}.`
      : "You are logged out. What you typed is still here.";
    part("log-in").hidden = Boolean(other);
    part("reload").hidden = !other;
    bar.hidden = false;
    if (this.#isOut) return;
    this.#isOut = true;
    this.#target.dispatchEvent(new Event("ended"));
  }

  #resume() {
    this.#isOut = false;
    bar.hidden = true;
    this.#target.dispatchEvent(new Event("resumed"));
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear(); // before they run: none runs twice
    for (const { act, at } of waiting) act({ isLate: Date.now() - at > REPEAT_MS });
  }

  #heard() {
    this.#mayBeStale = true;
    if (this.#isOut || !document.hidden) this.#look();
  }

  #look() {
    if (this.#isOut || this.#mayBeStale || Date.now() - this.#askedAt > LOOK_MS) this.renew();
  }
}

/** Log-in makes older tokens worthless: the new one goes wherever the page holds one. */
function putToken(token) {
  const headers = JSON.stringify({ ...headersOf(document.body), "X-CSRFToken": token });
  document.body.setAttribute("hx-headers", headers);
  /** @type {NodeListOf<HTMLInputElement>} */
  const fields = document.querySelectorAll("input[name=csrfmiddlewaretoken]");
  for (const field of fields) field.value = token;
}

function headersOf(element) {
  const named = element.getAttribute("hx-headers") ?? "";
  return Object.fromEntries(
    [...named.matchAll(/"([\w-]+)"\s*:\s*"([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );
}

export const login = new Login();
bar?.querySelector("[data-reload]")?.addEventListener("click", () => location.reload());
