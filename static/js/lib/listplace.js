// Where the reader is in the list: kept for the way back from a request, in this tab alone.

const KEY = "faldeck.list-place";

/**
 * @typedef {{ url: string, q: string, sort: string, team: string, y: number, id: string }} Place
 * `id`: of the request that was opened, or walked to since
 */

/** @returns {Place | null} */
export function readPlace() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY) ?? "null");
  } catch {
    return null; // storage may be forbidden: the list then shows from its top
  }
}

/** @param {Place} place */
export function keepPlace(place) {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(place));
  } catch {
    // not kept
  }
}
