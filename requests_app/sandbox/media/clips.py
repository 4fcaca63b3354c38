"""Videos that play in a browser: WebM with VP8, every frame a key frame.

A lossy WebP file holds exactly one VP8 key frame, so Pillow is the encoder and only the container is written here
(Matroska's EBML: an id, a size, a body). Source: RFC 6386, RFC 9559, the WebP container specification.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator

from PIL import Image

from .pictures import Size, fitted, paint

FPS = 8
MAX_SECONDS = 20
LONGEST = 480  # pixels: small enough to be made in a second
CLUSTER_FRAMES = 8  # a player can jump to the beginning of each cluster


def webm(frames: Iterable[Image.Image], size: Size, fps: int = FPS) -> bytes:
    """The file. Sides must be even numbers."""
    encoded = [_key_frame(frame) for frame in frames]
    gap = 1000 // fps
    video = _element(0xE0, _number(0xB0, size[0]) + _number(0xBA, size[1]))
    track = (
        _number(0xD7, 1) + _number(0x73C5, 1) + _number(0x83, 1) + _number(0x9C, 0)
        + _element(0x86, b"V_VP8") + _number(0x23E383, gap * 1_000_000) + video
    )  # fmt: skip
    info = (
        _number(0x2AD7B1, 1_000_000)  # nanoseconds of a tick: times are in milliseconds
        + _element(0x4489, struct.pack(">d", len(encoded) * gap))
        + _element(0x4D80, b"sandbox") + _element(0x5741, b"sandbox")
    )  # fmt: skip
    tracks = _element(0x1654AE6B, _element(0xAE, track))
    body = _seekable(_element(0x1549A966, info) + tracks, list(_clusters(encoded, gap)), gap)
    head = (
        _number(0x4286, 1) + _number(0x42F7, 1) + _number(0x42F2, 4) + _number(0x42F3, 8)
        + _element(0x4282, b"webm") + _number(0x4287, 2) + _number(0x4285, 2)
    )  # fmt: skip
    return _element(0x1A45DFA3, head) + _element(0x18538067, body)


def pan(prompt: str, size: Size, seed: int, seconds: float) -> tuple[bytes, Size, int]:
    """A camera that moves over a landscape: the file, its size and its number of frames."""
    size, count = _even(fitted(size, LONGEST)), _count(seconds)
    wide = paint(prompt, (size[0] * 3 // 2, size[1]), seed)
    way = (wide.width - size[0]) / max(count - 1, 1)
    frames = (
        wide.crop((round(way * n), 0, round(way * n) + size[0], size[1])) for n in range(count)
    )
    return webm(frames, size), size, count


def move(first: Image.Image, last: Image.Image | None, seconds: float) -> tuple[bytes, Size, int]:
    """From one picture slowly to the other; without the other, closer."""
    size, count = _even(fitted(first.size, LONGEST)), _count(seconds)
    begin = first.resize(size)
    end = None if last is None else last.resize(size)
    return webm(_moving(begin, end, count), size), size, count


def _moving(begin: Image.Image, end: Image.Image | None, count: int) -> Iterator[Image.Image]:
    width, height = begin.size
    for number in range(count):
        share = number / max(count - 1, 1)
        if end is not None:
            yield Image.blend(begin, end, share)
            continue
        inset = 0.12 * share
        box = (width * inset, height * inset, width * (1 - inset), height * (1 - inset))
        yield begin.resize(begin.size, Image.Resampling.BILINEAR, box=box)


def _count(seconds: float) -> int:
    return max(1, round(min(seconds, MAX_SECONDS) * FPS))


def _even(size: Size) -> Size:
    return max(2, size[0] // 2 * 2), max(2, size[1] // 2 * 2)


def _key_frame(frame: Image.Image) -> bytes:
    data = io.BytesIO()
    frame.save(data, "WEBP", quality=55, method=0)
    riff = data.getvalue()
    at = 12
    while riff[at : at + 4] != b"VP8 ":
        at += 8 + struct.unpack("<I", riff[at + 4 : at + 8])[0] // 2 * 2
    return riff[at + 8 : at + 8 + struct.unpack("<I", riff[at + 4 : at + 8])[0]]


def _clusters(frames: list[bytes], gap: int) -> Iterator[bytes]:
    """Blocks with 16 bits for the time since their cluster began."""
    for start in range(0, len(frames), CLUSTER_FRAMES):
        blocks = [
            _element(0xA3, b"\x81" + struct.pack(">hB", number * gap, 0x80) + frame)
            for number, frame in enumerate(frames[start : start + CLUSTER_FRAMES])
        ]
        yield _element(0x1F43B675, _number(0xE7, start * gap) + b"".join(blocks))


def _seekable(head: bytes, clusters: list[bytes], gap: int) -> bytes:
    """Clusters, and behind them where each one begins, counted from the segment's beginning."""
    points, at = b"", len(head)
    for number, cluster in enumerate(clusters):
        place = _element(0xB7, _number(0xF7, 1) + _number(0xF1, at))
        points += _element(0xBB, _number(0xB3, number * CLUSTER_FRAMES * gap) + place)
        at += len(cluster)
    return head + b"".join(clusters) + _element(0x1C53BB6B, points)


def _element(name: int, body: bytes) -> bytes:
    ident = name.to_bytes((name.bit_length() + 7) // 8, "big")
    is_short = len(body) < 127
    size = bytes([0x80 | len(body)]) if is_short else (len(body) | 1 << 56).to_bytes(8, "big")
    return ident + size + body


def _number(name: int, value: int) -> bytes:
    return _element(name, value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big"))
