// What a file field shows of a file on its way: name, progress, Cancel, Retry. Drawn anew at each change.

import { icon } from "../../lib/icon.js";
import { bytes, factsLine } from "./words.js";

/** @param {any} transfer undefined: nothing is on its way */
export function drawTransfer(place, transfer) {
  const isQuiet = !transfer || (transfer.phase === "done" && !transfer.sentence);
  place.hidden = isQuiet;
  place.dataset.phase = transfer?.phase ?? "";
  if (isQuiet) return place.replaceChildren();
  if (place.dataset.shown === shape(transfer)) return update(place, transfer);
  place.dataset.shown = shape(transfer);
  const hadFocus = place.contains(document.activeElement);
  place.replaceChildren(...PARTS[transfer.phase](transfer));
  update(place, transfer);
  if (hadFocus) place.querySelector("button")?.focus();
}

const shape = ({ phase, file, facts }) => `${phase} ${file.name} ${facts.thumbnail ? 1 : 0}`;

const PARTS = {
  reading: (transfer) => [head(transfer), line("Reading…"), tools(["cancel", "Cancel"])],
  sending: (transfer) => [head(transfer), bar(), line(), tools(["cancel", "Cancel"])],
  failed: (transfer) => [head(transfer), problem(), tools(["retry", "Retry"], ["dismiss", "Dismiss"])],
  cancelled: (transfer) => [
    head(transfer),
    line("Cancelled. Nothing was put into the field."),
    tools(["retry", "Send again"], ["dismiss", "Dismiss"]),
  ],
  refused: () => [problem(), tools(["dismiss", "Dismiss"])],
  done: () => [line(), tools(["dismiss", "Dismiss"])],
};

function update(place, { phase, sentence, upload, file }) {
  const said = place.querySelector("[data-said]");
  const progress = place.querySelector("progress");
  if (progress) [progress.max, progress.value] = [file.size, upload?.sent ?? 0];
  if (phase === "sending") said.textContent = [words(upload, file), sentence].filter(Boolean).join(" ");
  else if (phase !== "reading" && phase !== "cancelled") said.textContent = sentence;
}

function words(upload, file) {
  if (upload.state === "starting") return "Asking fal where to send it…";
  const part = upload.parts ? `, part ${upload.part} of ${upload.parts}` : "";
  return `${bytes(Math.min(upload.sent, file.size))} of ${bytes(file.size)}${part}`;
}

function head({ file, facts }) {
  const box = document.createElement("div");
  box.className = "media-head";
  const name = document.createElement("strong");
  name.className = "clip";
  name.textContent = file.name;
  const about = document.createElement("span");
  about.className = "help";
  about.textContent = factsLine({ type: file.type, size: file.size, ...facts });
  box.append(name, about);
  if (facts.thumbnail) {
    facts.thumbnail.className = "media-thumb";
    box.prepend(facts.thumbnail);
  }
  return box;
}

function bar() {
  const progress = document.createElement("progress");
  progress.setAttribute("aria-label", "Sent");
  return progress;
}

function line(text = "") {
  const words = document.createElement("p");
  words.className = "help";
  words.dataset.said = "";
  words.textContent = text;
  return words;
}

function problem() {
  const words = line();
  words.className = "media-problem";
  words.setAttribute("role", "alert");
  return words;
}

/** @param {string[][]} buttons */
function tools(...buttons) {
  const row = document.createElement("div");
  row.className = "media-tools";
  row.append(
    ...buttons.map(([action, word]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button button-small";
      button.dataset.transfer = action;
      if (action === "retry") button.append(icon("again"));
      button.append(word);
      return button;
    }),
  );
  return row;
}
