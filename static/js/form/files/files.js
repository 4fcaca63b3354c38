// Files into the form: picked, dropped, pasted, taken with the camera, or brought along from an output. Listens at the
// form's box alone, for its fields come and go with the endpoint and with the items of lists.

import { announce } from "../../lib/announce.js";
import { toast } from "../../lib/toasts.js";
import { factsOf } from "./known.js";
import { acceptOf, fits } from "./kinds.js";
import { following } from "./order.js";
import { drawTransfer } from "./panel.js";
import { Transfer } from "./transfer.js";
import { plainOf } from "../../lib/jsontext.js";

const box = /** @type {HTMLElement} */ (document.getElementById("schema-view"));
/** @type {Map<Element, Transfer>} */
const transfers = new Map(); // by field

/** @returns {HTMLInputElement} */
const inputOf = (field) => field.querySelector("[data-input]");
const listOf = (field) => field.parentElement.closest("[data-item]")?.closest("[data-control=list]") ?? null;
const limitsOf = (place) => plainOf(place?.dataset.limits ?? "") ?? {};

// --- where files go ------------------------------------------------------------------------------

/** Send the files to where they were given: a field takes one, a list as many as it may have. */
function give(zone, files) {
  if (zone.matches("[data-media-list]")) giveToList(zone, files);
  else giveToField(zone.closest("[data-control=media]"), files);
}

function giveToField(field, files) {
  const list = listOf(field);
  const [first, ...rest] = files;
  begin(field, first);
  if (rest.length && list) giveToList(list.querySelector("[data-media-list]"), rest);
  else if (rest.length)
    toast(`This field takes one file: “${first.name}” is taken, ${rest.length} left out.`, { error: true });
}

function giveToList(zone, files) {
  const list = zone.closest("[data-control=list]");
  const add = zone.querySelector("[data-add]");
  const most = Number(zone.dataset.most) || Infinity;
  const items = () => list.querySelector("[data-items]").children;
  const room = most - items().length;
  for (const file of files.slice(0, Math.max(0, room))) {
    add.click();
    begin(items()[items().length - 1].querySelector("[data-control=media]"), file, { isNew: true });
  }
  if (files.length > room)
    toast(`This list takes up to ${most} files; the others are left out.`, { error: true });
}

function begin(field, file, { isNew = false } = {}) {
  transfers.get(field)?.cancel();
  const list = listOf(field);
  const own = limitsOf(field.querySelector("[data-media]"));
  const whole = limitsOf(list?.querySelector("[data-media-list]"));
  const transfer = new Transfer(
    file,
    {
      kind: field.dataset.kind,
      limits: { ...whole, ...own },
      most: Number(field.querySelector("[data-media]").dataset.mostBytes) || Infinity,
      url: field.querySelector("[data-media]").dataset.uploads,
      isInline: field.querySelector("[data-inline]").checked,
      together: { limits: whole.combined ?? {}, others: list ? othersOf(list, field) : [] },
    },
    (one) => moved(one),
  );
  Object.assign(transfer, { field, isNew });
  transfers.set(field, transfer);
  draw(field);
  transfer.run();
}

/** What is known of the other files of the list. */
const othersOf = (list, field) =>
  [...list.querySelectorAll("[data-items] [data-control=media]")]
    .filter((one) => one !== field)
    .map((one) => transfers.get(one)?.facts ?? factsOf(inputOf(one).value));

function draw(field) {
  drawTransfer(field.querySelector("[data-transfer-place]"), transfers.get(field));
}

/** A transfer has changed. Its field may have gone with its item or with the endpoint. */
function moved(transfer) {
  const { field } = transfer;
  if (transfers.get(field) !== transfer) return;
  if (!field.isConnected) {
    transfers.delete(field);
    if (transfer.isOpen) transfer.cancel();
    return;
  }
  if (transfer.phase === "done") {
    put(field, transfer.value);
    announce(`${transfer.file.name} is in the form.`);
  }
  draw(field);
  if (transfer.phase === "done" && !transfer.sentence) transfers.delete(field);
}

/** The field has this address now, as if it had been typed. */
function put(field, value) {
  const input = inputOf(field);
  input.value = value;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}

function act(field, action) {
  const transfer = transfers.get(field);
  if (action === "cancel") {
    transfer?.cancel();
  } else if (action === "retry") {
    transfer?.retry();
  } else {
    transfers.delete(field);
    draw(field);
    // An item that was made for a file that did not come would be sent as an empty text.
    const item = field.closest("[data-item]");
    if (/** @type {any} */ (transfer).isNew && item && !inputOf(field).value)
      item.querySelector("[data-remove]").click();
    else field.querySelector("[data-pick]").focus();
  }
}

// --- how files come ------------------------------------------------------------------------------

function clicked(event) {
  const button = event.target.closest("button");
  const zone = button?.closest("[data-media], [data-media-list]");
  if (!zone) return;
  if (button.matches("[data-pick]")) pick(zone, "[data-file]:not([capture])");
  else if (button.matches("[data-camera]")) pick(zone, "[data-file][capture]");
  else if (button.matches("[data-transfer]"))
    act(zone.closest("[data-control=media]"), button.dataset.transfer);
}

function pick(zone, selector) {
  const own = [...zone.querySelectorAll(selector)].find(
    (one) => one.closest("[data-media], [data-media-list]") === zone,
  );
  own.accept = acceptOf(zone.dataset.takes);
  own.click();
}

function picked({ target }) {
  if (!target.matches("[data-file]") || !target.files.length) return;
  give(target.closest("[data-media], [data-media-list]"), [...target.files]);
  target.value = ""; // the same file may be picked again
}

const hasFiles = ({ types }) => types.includes("Files") || types.includes("text/uri-list");
const zoneAt = (target) =>
  target instanceof Element ? target.closest("[data-media], [data-media-list]") : null;
/** @type {Element | null} */
let lit = null;

function light(zone) {
  if (zone === lit) return;
  lit?.classList.remove("media-over");
  zone?.classList.add("media-over");
  lit = zone;
}

function dragged(event) {
  if (!hasFiles(event.dataTransfer)) return;
  const zone = zoneAt(event.target);
  light(zone);
  if (zone || event.dataTransfer.types.includes("Files")) event.preventDefault();
  if (!zone) event.dataTransfer.dropEffect = "none";
}

/** A picture of a page has an address: it needs no upload. */
function dropped(event) {
  light(null);
  if (!hasFiles(event.dataTransfer)) return;
  const zone = zoneAt(event.target);
  const files = [...event.dataTransfer.files];
  const url = event.dataTransfer
    .getData("text/uri-list")
    .split(/\r?\n/)
    .find((line) => /^https?:/i.test(line));
  if (!zone && !files.length) return;
  event.preventDefault(); // else the browser leaves the page to show the file
  if (!zone) return toast("Drop the file on the field that it is for.", { error: true });
  if (url && URL.canParse(url) && new URL(url).origin !== location.origin) return giveUrl(zone, url);
  if (files.length) give(zone, files);
}

export function giveUrl(zone, url) {
  if (!zone.matches("[data-media-list]")) return put(zone.closest("[data-control=media]"), url);
  zone.querySelector("[data-add]").click();
  const items = zone.closest("[data-control=list]").querySelector("[data-items]").children;
  put(items[items.length - 1].querySelector("[data-control=media]"), url);
}

/** A pasted file goes to the field with the focus; else to the first empty one that it fits. */
function pasted(event) {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length || document.querySelector("dialog[open]")) return;
  const own = zoneAt(event.target);
  const isText =
    event.target.matches?.("input, textarea") && event.clipboardData.types.includes("text/plain");
  if (isText) return; // a table copied from an office program comes as a picture too
  const zone = own ?? fieldsFor(files[0])[0];
  if (!zone) return;
  event.preventDefault();
  give(zone, files);
}

/** The fields and lists that take the file, empty ones first. A file without an ending may go anywhere. */
export function fieldsFor(file) {
  const isTold = file.type || /\.[a-z0-9]{1,8}$/i.test(file.name);
  const takes = (zone) => !isTold || fits(zone.dataset.takes, file);
  const isFull = (zone) => zone.matches("[data-media]") && Boolean(inputOf(zone).value);
  /** @type {HTMLElement[]} */
  const zones = [...box.querySelectorAll("[data-media], [data-media-list]")];
  return zones
    .filter((zone) => !zone.closest("fieldset[disabled], [data-items]") && takes(zone))
    .sort((one, other) => Number(isFull(one)) - Number(isFull(other)));
}

// --- what must not happen meanwhile ----------------------------------------------------------------

function reordered(event) {
  const button = event.target.closest("[data-remove], [data-up]");
  if (!button?.closest("[data-item]")) return;
  const place = following(button, {
    take: (field) => {
      const state = transfers.get(field);
      transfers.delete(field);
      return state;
    },
    put: (field, state) => {
      if (state) transfers.set(field, Object.assign(state, { field }));
      draw(field);
    },
    drop: (state) => state.isOpen && state.cancel(),
  });
  setTimeout(place); // after the form has done it
}

const isOpen = () =>
  [...transfers.values()].some((one) => one.isOpen && /** @type {any} */ (one).field.isConnected);

/** A request without its file would be paid for in vain. */
function submitted(event) {
  if (event.target.id !== "request-form" || !isOpen()) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  toast("A file is still on its way. Wait for it, or cancel it, then submit.", { error: true });
}

if (box) {
  box.addEventListener("click", reordered, true);
  box.addEventListener("click", clicked);
  box.addEventListener("change", picked);
  document.addEventListener("dragover", dragged);
  document.addEventListener("dragleave", (event) => event.relatedTarget || light(null));
  document.addEventListener("drop", dropped);
  document.addEventListener("paste", pasted);
  document.addEventListener("submit", submitted, true);
  window.addEventListener("beforeunload", (event) => isOpen() && event.preventDefault());
}
