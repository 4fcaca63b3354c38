"""Files in and out of a running model: read what an input leads to, keep what was made."""

from __future__ import annotations

import asyncio
import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from PIL import Image as Pillow

from requests_app.sandbox.media import pictures, samples

from .base import Context, ModelError
from .shapes import MAX_SEED, AudioFile, File, Image, ImageFile, VideoFile

FALLBACK = (768, 512)
FILES = "/cdn/files/"
SAMPLES = "/cdn/samples/"
SUFFIX = {"jpeg": "jpg"}


def seed_of(seed: int | None) -> int:
    return secrets.randbelow(MAX_SEED) if seed is None or seed < 0 else seed % (MAX_SEED + 1)


async def in_thread(make: Callable[..., Any], *given: Any, **named: Any) -> Any:
    return await asyncio.to_thread(make, *given, **named)


def content(url: str, context: Context) -> bytes | None:
    """The bytes of a data URI or of a file kept here. None: elsewhere, and nothing is fetched from there."""
    if url.startswith("data:"):
        head, _, data = url.partition(",")
        try:
            raw = unquote_to_bytes(data)
            return base64.b64decode(raw) if head.endswith(";base64") else raw
        except (ValueError, binascii.Error):
            return b""
    path = urlsplit(url).path
    if FILES in path:
        found = context.file(path.rpartition(FILES)[2])
        return found[1] if found else b""
    if SAMPLES in path:
        made = samples.sample(path.rpartition(SAMPLES)[2])
        return made[1] if made else b""
    return None


async def picture(url: str, context: Context, *place: str | int) -> Pillow.Image:
    """The picture an input leads to; one made up for an address elsewhere. Raises ModelError."""
    _must_be_address(url, *place)
    data = content(url, context)
    if data is None:
        context.log(f"Not fetched, painted instead: {url[:200]}", "WARN")
        return await asyncio.to_thread(pictures.paint, url, FALLBACK, 1)
    try:
        return await asyncio.to_thread(pictures.read, data)
    except pictures.NotAPicture:
        raise problem("image_load_error", "Failed to load the image.", url, *place) from None


def check_media(url: str, context: Context, *place: str | int) -> None:
    """Refuse what is no address, and a file of ours that is gone. Raises ModelError."""
    _must_be_address(url, *place)
    if content(url, context) == b"":
        raise problem("file_download_error", "Failed to download the file.", url, *place)


def problem(kind: str, message: str, value: object, *place: str | int) -> ModelError:
    shown = value[:200] if isinstance(value, str) else value
    where = ["body", *place]
    return ModelError(422, [{"loc": where, "msg": message, "type": kind, "input": shown}])


def _must_be_address(url: str, *place: str | int) -> None:
    if not url.startswith(("http://", "https://", "data:")):
        raise problem(
            "file_download_error", "An http(s) URL or a data URI is expected.", url, *place
        )


async def keep_image(
    made: Pillow.Image, context: Context, kind: str = "jpeg", *, inline: bool = False
) -> Image:
    """`inline`: as a data URI (`sync_mode`)."""
    data = await asyncio.to_thread(pictures.encode, made, kind)
    content_type = f"image/{kind}"
    if inline:
        url = f"data:{content_type};base64,{base64.b64encode(data).decode()}"
    else:
        url = context.save(_name(kind), content_type, data)
    return Image(url=url, width=made.width, height=made.height, content_type=content_type)


async def keep_picture(made: Pillow.Image, context: Context, kind: str = "png") -> ImageFile:
    data = await asyncio.to_thread(pictures.encode, made, kind)
    kept = keep(data, f"image/{kind}", kind, context)
    return ImageFile(**kept.model_dump(), width=made.width, height=made.height)


def keep_video(made: tuple[bytes, tuple[int, int], int], context: Context, fps: int) -> VideoFile:
    data, (width, height), frames = made
    kept = keep(data, "video/webm", "webm", context)
    return VideoFile(
        **kept.model_dump(), width=width, height=height, fps=fps, num_frames=frames,
        duration=frames / fps,
    )  # fmt: skip


def keep_sound(made: tuple[bytes, float], context: Context) -> AudioFile:
    kept = keep(made[0], "audio/wav", "wav", context)
    return AudioFile(**kept.model_dump(), duration=round(made[1], 3))


def keep(data: bytes, content_type: str, kind: str, context: Context) -> File:
    name = _name(kind)
    url = context.save(name, content_type, data)
    return File(url=url, content_type=content_type, file_name=name, file_size=len(data))


def _name(kind: str) -> str:
    return f"{secrets.token_urlsafe(16)}.{SUFFIX.get(kind, kind)}"
