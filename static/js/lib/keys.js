// Single keys for people who keep their hands there. Silent while typing, in dialogs, and when switched off.

import { goToSearch } from "./search.js";

const OFF = "faldeck.keys-off"; // for who is not logged in; with a log-in the server keeps the choice, on <body>
const sheet = /** @type {HTMLDialogElement} */ (document.getElementById("shortcuts"));
const offBox = /** @type {HTMLInputElement | null} */ (sheet?.querySelector("[data-keys-off]"));

const stored = () => {
  const { keys } = document.body.dataset;
  if (keys) return keys === "off";
  try {
    return localStorage.getItem(OFF) === "1";
  } catch {
    return false;
  }
};

function isTyping(target) {
  return (
    target.isContentEditable ||
    target.matches("textarea, select, input:not([type=range], [type=checkbox], [type=radio])")
  );
}

/** What a key asks for is done by modules of the pages that have it. */
const tell = (name, detail = "") => document.dispatchEvent(new CustomEvent(name, { detail }));

const PLACE = "tr.row, .tile";

/** The next row or tile; on the page of one request the next request of its list. */
function step(by) {
  const links = [...document.querySelectorAll("tr.row .row-link, .tile-face")];
  if (!links.length) return follow(document.querySelector(`[data-walk="${by}"]`));
  const focused = links.findIndex((link) => link.closest(PLACE)?.contains(document.activeElement));
  const here = focused < 0 ? links.findIndex((link) => link.ariaCurrent) : focused;
  if (here >= 0 && !links[here + by]) tell("list:edge", String(by));
  const next = here < 0 ? 0 : Math.min(links.length - 1, Math.max(0, here + by));
  links[next].focus();
  links[next].closest(PLACE)?.scrollIntoView({ block: "nearest" });
}

const follow = (link) => link && location.assign(link.href);

const GO_MS = 1500; // after g, for the key of a place
let goUntil = 0;

/** After g: follow the link of the place with this key. */
function go(key) {
  const isAsked = performance.now() < goUntil;
  goUntil = 0;
  const link = isAsked && document.querySelector(`[data-go="${CSS.escape(key)}"]`);
  follow(link);
  return Boolean(link);
}

const VERBS = {
  g: () => (goUntil = performance.now() + GO_MS),
  "/": goToSearch,
  n: () => follow(document.querySelector("[aria-keyshortcuts=n]") ?? document.querySelector("[data-key=n]")),
  j: () => step(1),
  k: () => step(-1),
  c: () => tell("key:act", "c"),
  r: () => tell("key:act", "r"),
  e: () => tell("key:act", "e"),
  ".": () => tell("live:pause"),
  x: () => document.activeElement?.closest(PLACE)?.querySelector(".row-check")?.click(),
  i: () => tell("lightbox:facts"),
  t: () => document.querySelector("[data-theme-switch]")?.click(),
  "?": () => sheet?.showModal(),
};

document.addEventListener("keydown", (event) => {
  if (
    event.ctrlKey ||
    event.metaKey ||
    event.altKey ||
    (event.repeat && event.key !== "j" && event.key !== "k")
  )
    return;
  if (isTyping(event.target) || document.querySelector("dialog[open]") || stored()) return;
  if (go(event.key)) return event.preventDefault();
  const verb = VERBS[event.key];
  if (!verb) return;
  event.preventDefault();
  verb();
});

// No letter, so it is there also for who has switched those off. Early: a menu or dialog that is open closes alone.
// Of a detail inside a detail the inner one closes first.
const closeDetail = ({ key, target }) => {
  if (key !== "Escape" || isTyping(target) || document.querySelector("dialog[open], details.menu[open]"))
    return;
  [...document.querySelectorAll("[data-close-detail]")]
    .findLast((button) => button.checkVisibility())
    ?.click();
};
document.addEventListener("keydown", closeDetail, { capture: true });

for (const button of document.querySelectorAll("[data-shortcuts]")) {
  button.hidden = false;
  button.addEventListener("click", () => sheet.showModal());
}

if (offBox) {
  offBox.checked = stored();
  offBox.addEventListener("change", () => {
    if (document.body.dataset.keys) {
      document.body.dataset.keys = offBox.checked ? "off" : "on"; // htmx tells the server
      return;
    }
    try {
      localStorage.setItem(OFF, offBox.checked ? "1" : "0");
    } catch {
      // not kept
    }
  });
}
