// Short messages at the bottom right: at most three; errors stay until they are closed.

import { announce } from "./announce.js";

const MOST = 3;
const SHOWN_MS = 6000;
const timers = new WeakMap(); // of each shown toast
const place = /** @type {HTMLElement} */ (document.getElementById("toasts"));

export function toast(text, { error = false } = {}) {
  announce(text);
  if (!place) return;
  const same = [...place.children].find((item) => item.firstChild?.textContent === text);
  const item = same ?? add(text, error);
  clearTimeout(timers.get(item));
  const leave = () => item.remove();
  if (!error) timers.set(item, setTimeout(leave, SHOWN_MS));
}

function add(text, error) {
  const item = document.createElement("div");
  item.className = error ? "toast toast-error" : "toast";
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button button-quiet button-small";
  close.textContent = "Close";
  close.addEventListener("click", () => item.remove());
  item.append(words, close);
  place.append(item);
  while (place.children.length > MOST) place.firstElementChild?.remove();
  return item;
}

// The server's words after an action (HX-Trigger: toast)
document.addEventListener("toast", ({ detail }) => toast(detail.text, { error: detail.error === true }));
