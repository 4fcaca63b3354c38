// Which files fit which kind of field, by type, ending and first bytes. No elements here.

const PICTURE = {
  types: ["image/"],
  endings: "png jpg jpeg jfif webp gif avif bmp tif tiff heic heif svg exr hdr jxl",
};

// `accept` is what the picker offers; endings count for types that browsers do not know.
const KINDS = {
  image: { ...PICTURE, accept: "image/*", word: "an image" },
  mask: { ...PICTURE, accept: "image/*", word: "an image" },
  video: {
    types: ["video/", "image/gif"],
    endings: "mp4 m4v mov webm mkv avi mpg mpeg ogv wmv gif",
    accept: "video/*",
    word: "a video",
  },
  audio: {
    types: ["audio/", "video/webm", "video/ogg"],
    endings: "mp3 wav ogg oga opus m4a aac flac aif aiff weba webm",
    accept: "audio/*",
    word: "a sound",
  },
  model_3d: {
    types: ["model/"],
    endings: "glb gltf obj fbx stl ply usd usdz usdc 3ds dae mesh mtl blend zip",
    accept: ".glb,.gltf,.obj,.fbx,.stl,.ply,.usd,.usdz,.3ds,.dae,.zip",
    word: "a 3D model",
  },
  archive: { accept: "", word: "an archive" },
  file: { accept: "", word: "a file" },
};

const MEDIA = /^(image|video|audio)\//;
const OTHERS = /^(image|video|audio|text|font)\//; // families that a wrong ending does not excuse

// The first bytes of the usual types, as a regular expression over Latin-1.
const HEADS = {
  image: /^(\x89PNG|\xff\xd8\xff|GIF8|RIFF[^]{4}WEBP|BM|II\*\0|MM\0\*|[^]{4}ftyp|\0\0\0\x0cJXL|\xff\x0a)/,
  video:
    /^([^]{4}(ftyp|moov|mdat|free|wide|skip)|\x1a\x45\xdf\xa3|RIFF[^]{4}AVI |OggS|\0\0\x01[\xb3\xba]|GIF8|0&\xb2u)/,
};
const JUDGED = /^(image\/(png|jpeg|gif|webp)|video\/(mp4|webm|quicktime))$/;
export const HEAD_BYTES = 16;

const kindOf = (kind) => KINDS[kind] ?? KINDS.file;
const endingOf = (name) => /\.([a-z0-9]{1,8})$/i.exec(name)?.[1].toLowerCase() ?? "";

/** What the picker of a field offers. */
export const acceptOf = (kind) => kindOf(kind).accept;

/** Whether a file fits by its type and name. */
export function fits(kind, { type, name }) {
  const { types, endings } = kindOf(kind);
  if (kind === "archive") return !MEDIA.test(type);
  if (!types) return true;
  if (types.some((start) => type.startsWith(start))) return true;
  return !OTHERS.test(type) && endings.split(" ").includes(endingOf(name));
}

/** Why a file does not fit, as a sentence; empty when it does. `head`: its first bytes. */
export function wrongType(kind, file, head) {
  const { word } = kindOf(kind);
  const what = file.type || (endingOf(file.name) ? `.${endingOf(file.name)}` : "of no known type");
  if (!fits(kind, file)) return `This field takes ${word}; “${file.name}” is ${what}.`;
  const family = file.type.split("/")[0];
  const start = String.fromCharCode(...head);
  if (JUDGED.test(file.type) && !HEADS[family].test(start))
    return `“${file.name}” is called ${file.type}, but it holds something else.`;
  return "";
}
