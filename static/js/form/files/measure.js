// What can be known of a chosen file before it is sent: first bytes, width and height, length, a small picture.

import { HEAD_BYTES } from "./kinds.js";

const PATIENCE_MS = 5000; // a file whose length is not known by then is sent without
const THUMBNAIL_PX = 320;

export async function headOf(file) {
  return new Uint8Array(await file.slice(0, HEAD_BYTES).arrayBuffer());
}

/** {type, size, name} and, where this browser can read it, {width, height, duration, thumbnail: <canvas>}. */
export async function measure(file) {
  const facts = { name: file.name, type: file.type, size: file.size };
  if (file.type.startsWith("image/")) return { ...facts, ...(await pictureOf(file)) };
  if (/^(video|audio)\//.test(file.type)) return { ...facts, ...(await playedOf(file)) };
  return facts;
}

/** A picture that this browser cannot decode has no size here. */
async function pictureOf(file) {
  try {
    const picture = await createImageBitmap(file);
    const { width, height } = picture;
    const thumbnail = drawn(picture, width, height);
    picture.close();
    return { width, height, thumbnail };
  } catch {
    return {};
  }
}

function drawn(source, width, height) {
  const scale = Math.min(1, THUMBNAIL_PX / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  canvas.getContext("2d")?.drawImage(source, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function playedOf(file) {
  const isVideo = file.type.startsWith("video/");
  const player = document.createElement(isVideo ? "video" : "audio");
  const url = URL.createObjectURL(file);
  return new Promise((resolve) => {
    const give = (facts) => {
      clearTimeout(timer);
      player.removeAttribute("src");
      URL.revokeObjectURL(url);
      resolve(facts);
    };
    const timer = setTimeout(give, PATIENCE_MS, {});
    player.addEventListener("error", () => give({}));
    player.addEventListener("loadedmetadata", () => {
      const { duration } = player;
      const { videoWidth, videoHeight } = /** @type {HTMLVideoElement} */ (player);
      give({
        ...(Number.isFinite(duration) ? { duration } : {}),
        ...(videoWidth ? { width: videoWidth, height: videoHeight } : {}),
      });
    });
    player.preload = "metadata";
    player.muted = true;
    player.src = url;
  });
}
