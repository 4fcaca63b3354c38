// Short messages at the bottom right: at most three; errors stay until they are closed.

import { announce } from "./announce.js";

const MOST = 3;
const SHOWN_MS = 6000;
const place = document.getElementById("toasts");

export function toast(text, { error = false } = {}) {
  announce(text);
  if (!place) return;
  const same = [...place.children].find((item) => item.firstChild.textContent === text);
  const item = same ?? add(text, error);
  clearTimeout(item.timer);
  if (!error) item.timer = setTimeout(() => item.remove(), SHOWN_MS);
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
  while (place.children.length > MOST) place.firstElementChild.remove();
  return item;
}

document.addEventListener("htmx:responseError", ({ detail }) => {
  const { status } = detail.xhr;
  if (status === 403) toast("You may not do that here, or you are logged out.", { error: true });
  else if (status === 413) toast(`That is too large. ${plainText(detail.xhr)}`, { error: true });
  else if (status === 404) toast("That is not there any more.", { error: true });
  else toast(`That did not work: the server answered ${status}.`, { error: true });
});
const plainText = (xhr) => (xhr.getResponseHeader("Content-Type")?.startsWith("text/plain") ? xhr.responseText.slice(0, 200) : "");

document.addEventListener("htmx:sendError", () => toast("The server cannot be reached. Look at the list before you try again.", { error: true }));
document.addEventListener("htmx:timeout", () => toast("The server took too long to answer.", { error: true }));
