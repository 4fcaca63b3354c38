// The choice of browser notifications on the page of notices: kept in this browser as it is made.

import { choice } from "../lib/noticechoice.js";

const form = /** @type {HTMLFormElement | null} */ (document.getElementById("browser-notices"));

if (form) {
  const state = /** @type {HTMLElement} */ (document.getElementById("browser-notices-state"));
  const show = () => {
    const wants = choice.standing !== "none";
    state.textContent = wants ? choice.obstacle || "This browser shows notifications." : "";
    state.classList.toggle("error", wants && choice.obstacle !== "");
  };
  const radios = /** @type {NodeListOf<HTMLInputElement>} */ (form.querySelectorAll("[name=standing]"));
  for (const radio of radios) radio.checked = radio.value === choice.standing;
  form.hidden = false;
  show();
  form.addEventListener("change", async ({ target }) => {
    choice.standing = /** @type {HTMLInputElement} */ (target).value;
    if (choice.standing !== "none") await choice.allow();
    show();
  });
}
