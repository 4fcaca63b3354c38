// The tabs of the request page. Without JavaScript they are links; with it they change nothing but what is shown.

const list = document.querySelector("#request-page [role=tablist]");
const tabs = list ? [...list.querySelectorAll("[role=tab]")] : [];
const listeners = [];

const nameOf = (tab) => tab.id.replace("tab-", "");

/** Which tab is open. */
export const openTab = () => nameOf(tabs.find((tab) => tab.getAttribute("aria-selected") === "true"));

/** Called with the name of the tab that was opened. */
export const onTab = (listener) => listeners.push(listener);

export function showTab(name) {
  for (const tab of tabs) {
    const isOpen = nameOf(tab) === name;
    tab.setAttribute("aria-selected", String(isOpen));
    tab.tabIndex = isOpen ? 0 : -1;
    document.getElementById(`panel-${nameOf(tab)}`).hidden = !isOpen;
  }
  for (const listener of listeners) listener(name);
}

function choose(tab) {
  document.getElementById("request-page").dataset.tabChosen = "";
  const url = new URL(location.href);
  url.searchParams.set("tab", nameOf(tab));
  history.replaceState(history.state, "", url);
  showTab(nameOf(tab));
}

tabs.forEach((tab, index) => {
  tab.tabIndex = tab.getAttribute("aria-selected") === "true" ? 0 : -1;
  tab.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // a new browser tab
    event.preventDefault();
    choose(tab);
  });
  tab.addEventListener("keydown", ({ key }) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
    if (!step) return;
    const next = tabs[(index + step + tabs.length) % tabs.length];
    next.focus();
    choose(next);
  });
});
