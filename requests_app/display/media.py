"""Find what can be looked at in an output. Pure.

An output is written by a model, so by a stranger: only https addresses on hosts this installation was
configured with, and small inline images of four harmless types, become pictures, players or links.
Everything else stays text.
"""

from __future__ import annotations

import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

MAX_DATA_URI = 2 * 1024 * 1024  # characters
MAX_MEDIA = 100
MAX_DEPTH = 32
MAX_NODES = 100_000

IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
VIDEOS = frozenset({"video/mp4", "video/webm", "video/quicktime"})
AUDIOS = frozenset(
    {"audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg", "audio/mp4", "audio/flac"}
)
_ALIASES = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/wave": "audio/wav"}

_DATA_URI = re.compile(r"data:(image/(?:png|jpeg|webp|gif));base64,[A-Za-z0-9+/]+={0,2}", re.ASCII)
# Parsers disagree about everything that is not plain visible ASCII, so nothing else passes.
_PLAIN_URL = re.compile(r"https?://[!#-;=?-\[\]_a-z~]{1,2048}", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Medium:
    """One thing to look at. ``kind``: image, video, audio or file; ``path``: where it stood."""

    kind: str
    url: str
    path: str
    name: str
    content_type: str = ""
    width: int | None = None  # pixels
    height: int | None = None
    size: int | None = None  # bytes


def find_media(value: object, hosts: Sequence[str]) -> list[Medium]:
    """Every medium in a parsed output, in its order, each address once, at most MAX_MEDIA."""
    found: dict[str, Medium] = {}
    for path, node in _walk(value):
        medium = _medium(path, node, hosts)
        if medium and medium.url not in found:
            found[medium.url] = medium
            if len(found) == MAX_MEDIA:
                break
    return list(found.values())


def is_showable(url: str, hosts: Sequence[str]) -> bool:
    """May the page point to this address? ``hosts`` are CSP sources such as ``https://*.fal.media``."""
    if url.startswith("data:"):
        return len(url) <= MAX_DATA_URI and _DATA_URI.fullmatch(url) is not None
    parts = _split(url)
    return parts is not None and any(_on_host(parts, host) for host in hosts)


def _split(url: str) -> SplitResult | None:
    if not _PLAIN_URL.fullmatch(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return None if "@" in parts.netloc or not parts.hostname else parts


def _on_host(parts: SplitResult, source: str) -> bool:
    wanted = urlsplit(source)
    if parts.scheme != wanted.scheme or _port(parts) != _port(wanted):
        return False
    name, pattern = parts.hostname or "", wanted.hostname or ""
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) > len(pattern) - 1
    return name == pattern


def _port(parts: SplitResult) -> int | None:
    return parts.port or _DEFAULT_PORTS.get(parts.scheme)


def _walk(root: object) -> Iterator[tuple[str, object]]:
    """Every node with its path, depth first and in order, within MAX_DEPTH and MAX_NODES."""
    stack: list[tuple[str, object, int]] = [("", root, 0)]
    for _ in range(MAX_NODES):
        if not stack:
            return
        path, node, depth = stack.pop()
        yield path, node
        if depth < MAX_DEPTH:
            stack.extend((p, child, depth + 1) for p, child in reversed(_children(path, node)))


def _children(path: str, node: object) -> list[tuple[str, object]]:
    if isinstance(node, Mapping):
        return [(f"{path}.{key}" if path else str(key), child) for key, child in node.items()]
    if isinstance(node, list):
        return [(f"{path}[{number}]", child) for number, child in enumerate(node[:MAX_NODES])]
    return []


def _medium(path: str, node: object, hosts: Sequence[str]) -> Medium | None:
    """A file object ({"url": …, "content_type": …}) comes before the bare address inside it."""
    if isinstance(node, str):
        facts: Mapping[str, object] = {"url": node}
    elif isinstance(node, Mapping):
        facts = node
    else:
        return None
    url = facts.get("url")
    if not isinstance(url, str) or not is_showable(url, hosts):
        return None
    content_type = _content_type(url, facts)
    return Medium(
        kind=_kind(content_type, path),
        url=url,
        path=path,
        name=_name(url, facts),
        content_type=content_type,
        width=_number(facts.get("width")),
        height=_number(facts.get("height")),
        size=_number(facts.get("file_size")),
    )


def _content_type(url: str, facts: Mapping[str, object]) -> str:
    if inline := _DATA_URI.match(url):
        return inline[1]
    given = facts.get("content_type")
    named = given.partition(";")[0].strip().lower() if isinstance(given, str) else ""
    guessed = named or mimetypes.guess_type(urlsplit(url).path)[0] or ""
    return _ALIASES.get(guessed, guessed)


def _kind(content_type: str, path: str) -> str:
    """By its type; an address that tells none is judged by the name of its place (images[0])."""
    for kind, types in (("image", IMAGES), ("video", VIDEOS), ("audio", AUDIOS)):
        if content_type in types:
            return kind
    if content_type and content_type != "application/octet-stream":
        return "file"
    place = re.search(r"(image|video|audio)", path.lower())
    return place[1] if place else "file"


def _name(url: str, facts: Mapping[str, object]) -> str:
    given = facts.get("file_name")
    if isinstance(given, str) and given:
        return given[:200]
    return (
        "inline image"
        if url.startswith("data:")
        else unquote(urlsplit(url).path.rpartition("/")[2])
    )


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
