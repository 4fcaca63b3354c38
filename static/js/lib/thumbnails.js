// Thumbnails that a worker has not made yet: those in sight are asked for together, and again until they are there.

import { request } from "./http.js";

const GATHER_MS = 60; // what comes into sight at the same moment travels as one question
const PAUSE_MS = 300; // doubled each time
const LONGEST_MS = 3000;
const MOST_ASKED = 60; // then a reload asks again
const AT_ONCE = 50; // ids of one question

/** @type {Map<Element, number>} places in sight, and how often each was asked for */
const wanted = new Map();
/** @type {number | undefined} */
let timer;
let due = Infinity;

const seen = new IntersectionObserver(
  (entries) => {
    for (const { target, isIntersecting } of entries) {
      if (!isIntersecting) continue;
      seen.unobserve(target);
      wanted.set(target, 0);
      askIn(GATHER_MS);
    }
  },
  { rootMargin: "200px" },
);

/** The earliest wish counts. */
function askIn(ms) {
  const at = performance.now() + ms;
  if (at >= due) return;
  due = at;
  clearTimeout(timer);
  timer = setTimeout(ask, ms);
}

async function ask() {
  due = Infinity;
  for (const place of wanted.keys()) if (!place.isConnected) wanted.delete(place);
  const places = /** @type {HTMLElement[]} */ ([...wanted.keys()].slice(0, AT_ONCE));
  if (!places.length) return;
  for (const place of places) {
    const asked = wanted.get(place) ?? 0;
    wanted.delete(place); // and behind the others
    if (asked < MOST_ASKED) wanted.set(place, asked + 1);
  }
  const ids = places.map(({ dataset }) => dataset.thumbnail);
  try {
    const reply = await request(`${places[0].dataset.ask}?ids=${ids.join(",")}`);
    if (reply.ok) put(await reply.json(), places);
  } catch {
    // The connection light tells; the next question asks again.
  }
  if (!wanted.size) return;
  const [asked] = wanted.values();
  askIn(asked ? Math.min(PAUSE_MS * 2 ** (asked - 1), LONGEST_MS) : GATHER_MS);
}

/** Only the place's content changes: it has the size of its picture. */
function put(told, places) {
  for (const place of places) {
    const look = told[place.dataset.thumbnail];
    if (look && !look.version && !look.problem) continue; // in the making
    wanted.delete(place);
    delete place.dataset.thumbnail;
    if (look?.version) place.replaceWith(picture(place.dataset, look));
    else if (look?.problem) place.title = look.problem;
  }
}

function picture({ size, width, height }, { path, version, number }) {
  const img = new Image(Number(width), Number(height));
  img.className = "row-thumb";
  img.alt = "";
  img.decoding = "async";
  const further = number === undefined ? "" : `&n=${number}`;
  img.src = `${path}${size}/?v=${version}${further}`;
  return img;
}

function look(/** @type {ParentNode} */ root) {
  for (const place of root.querySelectorAll("[data-thumbnail]")) seen.observe(place);
}

// Rows come and go by several hands; each brings its places along.
new MutationObserver((changes) => {
  for (const { addedNodes } of changes)
    for (const node of addedNodes) if (node instanceof Element) look(node);
}).observe(document.body, { childList: true, subtree: true });
look(document);
