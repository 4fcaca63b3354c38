"""Files that are there from the start: what the examples of the documents and the catalogue's pictures lead to."""

from __future__ import annotations

from functools import lru_cache

from . import clips, meshes, packages, pictures, sounds

THUMBNAIL = (320, 200)
PICTURE = (640, 420)


@lru_cache(maxsize=64)
def sample(name: str) -> tuple[str, bytes] | None:
    """Content type and bytes of the file with this name; its words are the prompt. None: no such kind."""
    stem, _, suffix = name.rpartition(".")
    words = stem.replace("-", " ")
    match suffix:
        case "jpg":
            size = THUMBNAIL if stem.startswith("thumbnail") else PICTURE
            return "image/jpeg", pictures.encode(pictures.paint(words, size, 1), "jpeg")
        case "png":
            return "image/png", pictures.encode(pictures.mask(PICTURE), "png")
        case "webm":
            return "video/webm", clips.pan(words, (480, 270), 3, 3)[0]
        case "wav":
            return "audio/wav", sounds.speech(words)[0]
        case "glb":
            return "model/gltf-binary", meshes.glb(len(stem))
        case "zip":
            return "application/zip", packages.archive(_training_files(words))
        case "safetensors":
            return "application/octet-stream", packages.safetensors(stem, len(stem))
    return None


def _training_files(words: str) -> dict[str, bytes]:
    files = {}
    for number in range(1, 5):
        picture = pictures.paint(words, (256, 256), number)
        files[f"{number}.jpg"] = pictures.encode(picture, "jpeg")
        files[f"{number}.txt"] = f"{words}, picture {number}".encode()
    return files
