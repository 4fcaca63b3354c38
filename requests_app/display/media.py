"""Find the media in an output: images, players, files to open. Pure.

`media_hosts` decides which hosts are allowed; this module decides what each file is.
static/js/lib/media.js does the same for the events of a stream; tests/display/media_cases.json
tests both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple
from urllib.parse import unquote

from requests_app.display.media_hosts import (
    AUDIOS,
    IMAGES,
    VIDEOS,
    canonical_type,
    inline_type,
    is_inline,
    is_showable,
    path_of,
)
from requests_app.fal.exactjson import Members, Number
from requests_app.rules.storable import storable_text

MAX_MEDIA = 100
MAX_DEPTH = 32
MAX_NODES = 100_000
MAX_PATH = 200  # characters
MAX_NUMBER = 2**53  # of bytes or pixels

# Our own table: the machine's mimetypes differ between machines, and a browser has none.
_BY_ENDING = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp",
    "gif": "image/gif", "avif": "image/avif",
    "mp4": "video/mp4", "m4v": "video/mp4", "webm": "video/webm", "mov": "video/quicktime",
    "mp3": "audio/mpeg", "wav": "audio/wav", "ogg": "audio/ogg", "oga": "audio/ogg",
    "m4a": "audio/mp4", "flac": "audio/flac",
}  # fmt: skip
_MESHES = frozenset({"glb", "gltf", "obj", "fbx", "stl", "ply", "usdz", "3mf"})
TELLS_NOTHING = ("", "application/octet-stream", "binary/octet-stream")
_ENDING = re.compile(r"\.([a-z0-9]{1,8})$", re.ASCII | re.IGNORECASE)


class Fate(NamedTuple):
    """How long a medium can be had: a few words for the page, a sentence for who asks, a CSS key."""

    words: str
    sentence: str
    tone: str  # kept, soon, later, gone
    is_gone: bool = False  # at fal


@dataclass(frozen=True)
class Medium:
    """One medium. ``kind``: image, video, audio or file; ``path``: its place in the output.

    ``url`` is what the model wrote. `copies.address` adds where our copy is, and what is known of its fate.
    """

    kind: str
    url: str
    path: str
    name: str
    content_type: str = ""
    width: int | None = None  # pixels
    height: int | None = None
    size: int | None = None  # bytes
    kept: str = ""  # the address of our own copy
    fate: Fate | None = None

    @property
    def address(self) -> str:
        """Where a page loads it from."""
        return self.kept or self.url

    @property
    def is_at_fal(self) -> bool:
        """Its own address still works, as far as is known: for other programs, and as an input."""
        return self.is_remote and not (self.fate and self.fate.is_gone)

    @property
    def is_inline(self) -> bool:
        """Its bytes are in the address."""
        return is_inline(self.url)

    @property
    def is_remote(self) -> bool:
        """It has an address of its own, which another program can fetch."""
        return self.url.lower().startswith(("http://", "https://"))

    @property
    def is_3d(self) -> bool:
        """A mesh or scene: browsers save it and do not show it."""
        ending = _ENDING.search(path_of(self.url)) if self.is_remote else None
        is_named = ending is not None and ending[1].lower() in _MESHES
        return self.content_type.startswith("model/") or is_named


def find_media(value: object, sources: Sequence[str]) -> list[Medium]:
    """Return every medium in a parsed output, in order, each address once, at most MAX_MEDIA."""
    return list(islice(iter_media(value, sources), MAX_MEDIA))


def iter_media(value: object, sources: Sequence[str]) -> Iterator[Medium]:
    """Yield media like `find_media`, without that limit."""
    told: set[str] = set()
    for path, node in _walk(value):
        medium = _medium(path, node, sources)
        if medium and medium.url not in told:
            told.add(medium.url)
            yield medium


def _walk(root: object) -> Iterator[tuple[str, object]]:
    """Yield every node with its path, depth first and in order, within MAX_DEPTH and MAX_NODES."""
    stack: list[tuple[str, object, int]] = [("", root, 0)]
    for _ in range(MAX_NODES):
        if not stack:
            return
        path, node, depth = stack.pop()
        yield path, node
        if depth < MAX_DEPTH:
            stack.extend((p, child, depth + 1) for p, child in reversed(_children(path, node)))


def _children(path: str, node: object) -> list[tuple[str, object]]:
    path = path[:MAX_PATH]  # a key may be megabytes, and each of its children repeats it
    if isinstance(node, Members):  # of repeated keys the last one counts, as in most programs
        node = dict(node)
    if isinstance(node, Mapping):
        return [
            (f"{path}.{name[:MAX_PATH]}" if path else name[:MAX_PATH], child)
            for name, child in node.items()
        ]
    if isinstance(node, list):
        return [(f"{path}[{number}]", child) for number, child in enumerate(node[:MAX_NODES])]
    return []


def _medium(path: str, node: object, sources: Sequence[str]) -> Medium | None:
    """Prefer a file object ({"url": …, "content_type": …}) to the bare address inside it."""
    if isinstance(node, Members):
        node = dict(node)
    if isinstance(node, str):
        facts: Mapping[str, object] = {"url": node}
    elif isinstance(node, Mapping):
        facts = node
    else:
        return None
    url = facts.get("url")
    if not isinstance(url, str) or not is_showable(url, sources):
        return None
    content_type = _content_type(url, facts)
    return Medium(
        kind=_kind(content_type, path),
        url=url,
        path=storable_text(path),
        name=storable_text(_name(url, facts), MAX_PATH),
        content_type=storable_text(content_type),
        width=_number(facts.get("width")),
        height=_number(facts.get("height")),
        size=_number(facts.get("file_size")),
    )


def _content_type(url: str, facts: Mapping[str, object]) -> str:
    if is_inline(url):
        return inline_type(url)
    given = facts.get("content_type")
    if isinstance(given, str) and (named := canonical_type(given)):
        return named
    ending = _ENDING.search(path_of(url))
    name = ending[1].lower() if ending else "bin"
    return "" if name == "bin" else _BY_ENDING.get(name, f"application/{name}")


def _kind(content_type: str, path: str) -> str:
    """Classify by type; without one, by the key it stands under (images[0])."""
    for kind, types in (("image", IMAGES), ("video", VIDEOS), ("audio", AUDIOS)):
        if content_type in types:
            return kind
    if content_type not in TELLS_NOTHING:
        return "file"
    place = re.search(r"(image|video|audio)", path.lower())
    return place[1] if place else "file"


def _name(url: str, facts: Mapping[str, object]) -> str:
    given = facts.get("file_name")
    if isinstance(given, str) and given:
        return given
    return "inline file" if is_inline(url) else unquote(path_of(url).rpartition("/")[2])


def _number(value: object) -> int | None:
    if isinstance(value, Number):
        value = int(value) if re.fullmatch(r"\d{1,15}", value, re.ASCII) else None
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value < MAX_NUMBER else None
