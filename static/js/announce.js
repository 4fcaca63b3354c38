// The one polite live region. It summarises: several things within three seconds are read as one sentence.

const PAUSE_MS = 3000;
const region = document.getElementById("announcer");
let waiting = [];
let timer = null;

export function announce(text) {
  if (!waiting.includes(text)) waiting.push(text);
  timer ??= setTimeout(speak, PAUSE_MS);
}

function speak() {
  if (region) region.textContent = waiting.join(" ");
  waiting = [];
  timer = null;
}
