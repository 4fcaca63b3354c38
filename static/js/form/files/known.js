// What this browser tab knows of files at addresses: name, type, size, width, height and length of what was sent from
// it. An address alone tells none of it; a page that is loaded again has it still.

import { plainOf } from "../../lib/jsontext.js";

const NAME = "faldeck.files";
const MOST = 60;

let known = read();

/** @returns {import("./words.js").Facts} */
export const factsOf = (url) => known.find(([one]) => one === url)?.[1] ?? {};

/** @param {import("./words.js").Facts} facts */
export function remember(url, facts) {
  const { name, type, size, width, height, duration } = facts;
  known = [[url, { name, type, size, width, height, duration }], ...known.filter(([one]) => one !== url)];
  known = known.slice(0, MOST);
  try {
    sessionStorage.setItem(NAME, JSON.stringify(known));
  } catch {
    // known until the page goes
  }
}

function read() {
  try {
    const kept = plainOf(sessionStorage.getItem(NAME) ?? "[]");
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}
