// What can be done with a medium or a text of an output: save it, copy a picture.
//
//   <a data-save href download>              the bytes are fetched, for browsers ignore `download` on other hosts
//   <button data-save-from="ID" data-name>   the text of an element
//   <button data-copy-image="URL">           the picture itself, as PNG, which is what clipboards take
//
// A host that lets no page fetch its files (CORS) is opened in a tab of its own instead.

import { announce } from "./announce.js";
import { requestFile } from "./http.js";
import { toast } from "./toasts.js";

const SHOWN_MS = 1500;
const MOST = 500 * 1024 * 1024; // bytes that are held to be saved; a larger file is opened

document.addEventListener("click", (event) => {
  const { target } = event;
  if (!(target instanceof Element)) return;
  /** @type {HTMLAnchorElement | null} */
  const link = target.closest("a[data-save]");
  /** @type {HTMLElement | null} */
  const button = target.closest("[data-save-from], [data-copy-image]");
  if (link && isOtherHost(link.href)) {
    event.preventDefault();
    saveLink(link);
  } else if (button?.dataset.saveFrom) {
    const text = document.getElementById(button.dataset.saveFrom)?.textContent ?? "";
    saveBlob(new Blob([text], { type: "text/plain" }), button.dataset.name);
  } else if (button) copyImage(button);
});

const isOtherHost = (url) => /^https?:/.test(url) && new URL(url).origin !== location.origin;

async function saveLink(link) {
  link.setAttribute("aria-busy", "true");
  try {
    saveBlob(await fetched(link.href), link.download || "file");
  } catch {
    press(link.href, null);
    toast("The file's host lets no page fetch it, so it was opened: save it from there.");
  } finally {
    link.removeAttribute("aria-busy");
  }
}

async function fetched(url) {
  const reply = await requestFile(url);
  if (!reply.ok || Number(reply.headers.get("Content-Length")) > MOST) {
    await reply.body?.cancel();
    throw new Error(`the host answers ${reply.status}`);
  }
  return reply.blob();
}

function saveBlob(blob, name) {
  const url = URL.createObjectURL(blob);
  press(url, name);
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Save under this name, or open in a tab of its own. */
function press(url, name) {
  const link = document.createElement("a");
  link.href = url;
  if (name === null) [link.target, link.rel] = ["_blank", "noopener noreferrer"];
  else link.download = name;
  link.click();
}

// --- the clipboard ---

async function copyImage(button) {
  const { copyImage: url } = button.dataset;
  try {
    // A promise, so that Safari still sees the click behind it.
    await navigator.clipboard.write([new ClipboardItem({ "image/png": pngOf(url) })]);
    announce("The picture is copied.");
    button.dataset.copied = "";
    setTimeout(() => delete button.dataset.copied, SHOWN_MS);
  } catch {
    toast("The picture could not be copied. Open it and copy it from there.", { error: true });
  }
}

async function pngOf(url) {
  const picture = url.startsWith("data:") ? await loaded(url) : await createImageBitmap(await fetched(url));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [picture.width, picture.height];
  canvas.getContext("2d")?.drawImage(picture, 0, 0);
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("too large"))), "image/png");
  });
}

async function loaded(url) {
  const image = new Image();
  image.src = url;
  await image.decode();
  return image;
}

const canCopyImages = "ClipboardItem" in window && Boolean(navigator.clipboard?.write);

/** Show the buttons that work only with scripts, and only where the browser can do what they say. */
export function showActions(root) {
  for (const button of root.querySelectorAll("[data-save-from]")) button.hidden = false;
  if (canCopyImages) for (const button of root.querySelectorAll("[data-copy-image]")) button.hidden = false;
}

showActions(document);
