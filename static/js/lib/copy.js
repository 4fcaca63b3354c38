// Copy buttons: data-copy="text" or data-copy-from="id of an element". Hidden until there is a clipboard to use.

import { announce } from "./announce.js";

const SHOWN_MS = 1500;

function textOf(button) {
  const { copy, copyFrom } = button.dataset;
  return copy ?? document.getElementById(copyFrom)?.textContent ?? "";
}

async function copy(button) {
  const word = button.querySelector("[data-copy-word]");
  let said = "Copied";
  try {
    await navigator.clipboard.writeText(textOf(button));
  } catch {
    said = "Not allowed";
  }
  announce(`${said}.`);
  button.dataset.copied = "";
  if (word) word.textContent = said;
  setTimeout(() => {
    delete button.dataset.copied;
    if (word) word.textContent = "Copy";
  }, SHOWN_MS);
}

document.addEventListener("click", ({ target }) => {
  const button = target instanceof Element && target.closest("[data-copy], [data-copy-from]");
  if (button) copy(button);
});
