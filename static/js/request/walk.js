// Back to the list is back to the place in it: the page of the list that was left, as far down.

import { keepPlace, readPlace } from "../lib/listplace.js";

/** @type {HTMLAnchorElement | null} */
const back = document.querySelector("a[data-back]");
const page = document.getElementById("request-page");

/** The same search in the same order and team: the page of the list may be another one. */
function isSameList(place, { searchParams: asked }) {
  const isSame = ["q", "sort"].every((name) => place[name] === (asked.get(name) ?? ""));
  return isSame && [place.team, null].includes(asked.get("team"));
}

function lead() {
  const place = readPlace();
  if (!back || !page || !place) return;
  if (!isSameList(place, new URL(back.href))) return;
  keepPlace({ ...place, id: page.dataset.request ?? "" });
  back.href = place.url;
}

lead();
