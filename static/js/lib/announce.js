// The one polite live region. It summarises: what happens within three seconds is read as one sentence.

const PAUSE_MS = 3000;
const region = document.getElementById("announcer");
const sentences = new Set();
const counts = new Map();
/** @type {number | null} */
let timer = null;

/** Say a sentence soon. */
export function announce(sentence) {
  sentences.add(sentence);
  timer ??= setTimeout(speak, PAUSE_MS);
}

/** Count one more of these; "3 new, 1 failed" is said soon. */
export function count(word) {
  counts.set(word, (counts.get(word) ?? 0) + 1);
  timer ??= setTimeout(speak, PAUSE_MS);
}

function speak() {
  const summary = [...counts].map(([word, number]) => `${number} ${word}`).join(", ");
  if (region) region.textContent = [...sentences, summary].filter(Boolean).join(" ");
  sentences.clear();
  counts.clear();
  timer = null;
}
