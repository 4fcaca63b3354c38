// The panel beside the list: a click or Enter on a row opens its request there, with an address of its own. The list stays
// as it is, with its focus and as far down; on narrow screens the row leads to the request's page.

import { announce } from "../lib/announce.js";
import { toast } from "../lib/toasts.js";
import { RequestPlace } from "../request/place.js";

const WIDE = matchMedia("(width >= 1000px)");
const FOLLOW_MS = 150; // rows that a held key runs through are not fetched

const panel = document.getElementById("peek");
const part = (selector) => /** @type {HTMLElement} */ (panel?.querySelector(selector));
const idOf = (link) => link.closest("tr.row").id.replace("request-", "");
const linkOf = (id) =>
  /** @type {HTMLAnchorElement | null} */ (document.querySelector(`#request-${CSS.escape(id)} .row-link`));
const inAddress = () => new URL(location.href).searchParams.get("peek") ?? "";

function addressWith(id) {
  const url = new URL(location.href);
  if (id) url.searchParams.set("peek", id);
  else url.searchParams.delete("peek");
  return url.href;
}

class Peek {
  #panel;
  #id = "";
  #place;
  #runs = ""; // the request that is run again once it is shown
  /** @type {number | undefined} */
  #following;

  constructor(panel) {
    this.#panel = panel;
    this.#place = new RequestPlace(part("[data-peek-place]"), panel.dataset.peekUrl, {
      shown: (id) => this.#shown(id),
    });
    document.addEventListener("click", (event) => this.#clicked(event));
    document.addEventListener("focusin", ({ target }) => this.#focused(target));
    panel.addEventListener("click", (event) => this.#pressed(event));
    document.addEventListener("list:edge", (event) =>
      this.#turnPage(Number(/** @type {CustomEvent} */ (event).detail)),
    );
    addEventListener("popstate", () => this.#toAddress());
    document.addEventListener("row:again", ({ target }) => this.#runAgain(target.querySelector(".row-link")));
    // Rows are replaced by newer ones, which know of no mark.
    const rows = document.querySelector("tbody[data-rows]");
    if (rows) new MutationObserver(() => this.#mark()).observe(rows, { childList: true });
    if (inAddress()) this.#begin();
  }

  /** The address names one: the page came with it. */
  #begin() {
    if (!WIDE.matches) return location.replace(part("[data-peek-page]").getAttribute("href") ?? "");
    this.#id = inAddress();
    this.#place.adopt(this.#id);
    this.#mark();
  }

  #clicked(event) {
    const link = event.target instanceof Element && event.target.closest("a.row-link");
    if (!link || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (!WIDE.matches && !event.shiftKey) return; // to the page
    event.preventDefault();
    if (event.shiftKey) return location.assign(link.href);
    const isKey = event.isTrusted && event.detail === 0;
    if (isKey && this.#isOpen() && idOf(link) === this.#id) return this.#panel.focus();
    link.focus({ preventScroll: true });
    this.#open(idOf(link));
  }

  #isOpen() {
    return !this.#panel.hidden;
  }

  /** The panel follows the row that has the focus. */
  #focused(target) {
    if (!this.#isOpen() || !(target instanceof Element) || !target.matches(".row-link")) return;
    const id = idOf(target);
    clearTimeout(this.#following);
    if (id !== this.#id) this.#following = setTimeout(() => this.#open(id), FOLLOW_MS);
  }

  #open(id) {
    clearTimeout(this.#following);
    if (this.#isOpen()) history.replaceState(history.state, "", addressWith(id));
    else history.pushState({ peek: "opened here" }, "", addressWith(id));
    this.#show(id);
  }

  #show(id) {
    if (this.#isOpen() && id === this.#id) return;
    this.#id = id;
    this.#turn(true);
    this.#mark();
    const page = part("[data-peek-page]");
    page.setAttribute("href", linkOf(id)?.href ?? page.dataset.peekPage?.replace(/0{8}-[0-]+/, id) ?? "");
    this.#place.show(id);
  }

  /** The way back is the browser's own where the panel was opened on this page. */
  #close() {
    if (history.state?.peek) return history.back();
    history.replaceState(history.state, "", addressWith(""));
    this.#hide();
  }

  #toAddress() {
    clearTimeout(this.#following);
    const id = inAddress();
    if (id && WIDE.matches) this.#show(id);
    else if (this.#isOpen()) this.#hide();
  }

  #hide() {
    const link = linkOf(this.#id);
    this.#turn(false);
    this.#place.clear();
    this.#id = "";
    this.#mark();
    link?.focus({ preventScroll: true });
  }

  /** Open or close the panel: the row stays at its height. */
  #turn(isOpen) {
    const row = linkOf(this.#id)?.closest("tr");
    const before = row?.getBoundingClientRect().top ?? 0;
    this.#panel.hidden = !isOpen;
    if (!row) return;
    scrollBy(0, row.getBoundingClientRect().top - before);
    row.scrollIntoView({ block: "nearest" });
  }

  #mark() {
    for (const link of document.querySelectorAll("a.row-link[aria-current]"))
      if (!this.#id || idOf(link) !== this.#id) link.removeAttribute("aria-current");
    if (this.#id) linkOf(this.#id)?.setAttribute("aria-current", "true");
  }

  /** The question stands in the panel; on narrow screens the row's own link leads to the form. */
  #runAgain(link) {
    if (!WIDE.matches) return link.closest("tr").querySelector("[data-key~=e]")?.click();
    this.#runs = idOf(link);
    const shown = part("[data-request]")?.dataset.request;
    if (this.#isOpen() && shown === this.#runs) this.#askToRun();
    else this.#open(this.#runs);
  }

  #askToRun() {
    this.#runs = "";
    const button = this.#panel.querySelector("[data-key~=r]");
    if (button) button.click();
    else toast("It cannot be run again now.");
  }

  #shown(id) {
    this.#panel.scrollTop = 0;
    if (this.#runs === id) this.#askToRun();
    this.#runs = "";
    const words = linkOf(id)?.textContent?.trim();
    if (words) announce(`${words} is shown beside the list.`);
  }

  #pressed(event) {
    const close = event.target.closest(".peek-bar [data-close-detail]");
    if (close && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
      event.preventDefault();
      this.#close();
    }
    const step = event.target.closest("[data-peek-step]");
    if (step) this.#step(Number(step.dataset.peekStep));
  }

  #step(by) {
    const links = [...document.querySelectorAll("tr.row .row-link")];
    const next = links[links.findIndex((link) => idOf(link) === this.#id) + by];
    if (next) this.#open(idOf(next));
    else this.#turnPage(by);
  }

  /** The next page of the list, with its first request in the panel; or the page before, with its last. */
  #turnPage(by) {
    const link = document.querySelector(`.pager a[rel=${by > 0 ? "next" : "prev"}]`);
    if (!this.#isOpen() || !(link instanceof HTMLAnchorElement)) return;
    const url = new URL(link.href);
    url.searchParams.set("peek", by > 0 ? "first" : "last");
    location.assign(url.href);
  }
}

if (panel) {
  history.scrollRestoration = "manual"; // place.js does it: Back closes the panel and leaves the list where it is
  for (const button of /** @type {NodeListOf<HTMLElement>} */ (panel.querySelectorAll("[data-peek-step]")))
    button.hidden = false;
  new Peek(panel);
}
