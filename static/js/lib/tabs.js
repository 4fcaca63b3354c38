// The tabs of a request. Without JavaScript they are links; with it they change nothing but what is shown.

const nameOf = (tab) => tab.id.replace("tab-", "");

export class Tabs {
  #page;
  #tabs;
  #listeners = [];

  /** The tabs inside an element; each names its panel, `panel-NAME`. */
  constructor(page) {
    this.#page = page;
    this.#tabs = [...page.querySelectorAll(".request-more > [role=tablist] > [role=tab]")];
    this.#tabs.forEach((tab, index) => this.#listen(tab, index));
  }

  /** Which tab is open. */
  get open() {
    const open = this.#tabs.find((tab) => tab.getAttribute("aria-selected") === "true");
    return open ? nameOf(open) : "";
  }

  /** Called with the name of the tab that was opened. */
  on(listener) {
    this.#listeners.push(listener);
  }

  show(name) {
    for (const tab of this.#tabs) {
      const isOpen = nameOf(tab) === name;
      tab.setAttribute("aria-selected", String(isOpen));
      tab.tabIndex = isOpen ? 0 : -1;
      const panel = /** @type {HTMLElement} */ (document.getElementById(`panel-${nameOf(tab)}`));
      panel.hidden = !isOpen;
    }
    for (const listener of this.#listeners) listener(name);
  }

  #listen(tab, index) {
    tab.tabIndex = tab.getAttribute("aria-selected") === "true" ? 0 : -1;
    tab.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new browser tab
      event.preventDefault();
      this.#choose(tab);
    });
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const next = this.#tabs[(index + step + this.#tabs.length) % this.#tabs.length];
      next.focus();
      this.#choose(next);
    });
  }

  #choose(tab) {
    if ("address" in this.#page.dataset) {
      const url = new URL(location.href);
      url.searchParams.set("tab", nameOf(tab));
      history.replaceState(history.state, "", url);
    }
    this.show(nameOf(tab));
  }
}
