"""Decide from which addresses a page may show an image, a video or a sound. Pure.

An address comes from a model, so it is untrusted. It may be shown when it is on one of the sources
of the page's Content-Security-Policy (https://host, https://*.host, with a port if needed) or is a
small inline file of a harmless type. Everything else stays text. static/js decides the same way
for what it shows itself; tests/display/media_cases.json tests both, and both against a browser's
policy.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

MAX_DATA_URI = 2 * 1024 * 1024  # characters

IMAGES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif", "image/avif"})
VIDEOS = frozenset({"video/mp4", "video/webm", "video/quicktime"})
AUDIOS = frozenset(
    {"audio/mpeg", "audio/wav", "audio/x-wav", "audio/ogg", "audio/mp4", "audio/flac"}
)
_ALIASES = {"image/jpg": "image/jpeg", "audio/mp3": "audio/mpeg", "audio/wave": "audio/wav"}

_DATA_URI = re.compile(
    r"data:([a-z]+/[a-z0-9.+-]+);base64,[A-Za-z0-9+/]+={0,2}", re.ASCII | re.IGNORECASE
)
# Parsers disagree about everything that is not plain visible ASCII, so nothing else passes: no
# user name, no escapes in the host.
_PLAIN_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9._-]+)(:(?P<port>\d{0,5}))?"
    r"(?P<path>([/?#][!#-;=?-\[\]_a-z~]{0,2048})?)",
    re.ASCII | re.IGNORECASE,
)
SOURCE = re.compile(
    r"(?P<scheme>https?)://(?P<host>\*|(\*\.)?[a-z0-9._-]+)(:(?P<port>\d{1,5}|\*))?",
    re.ASCII | re.IGNORECASE,
)
_STANDARD_PORTS = {"http": 80, "https": 443}


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int


def is_showable(url: str, sources: Sequence[str]) -> bool:
    """Whether the page may point to this address."""
    if is_inline(url):
        return len(url) <= MAX_DATA_URI and inline_type(url) in IMAGES | VIDEOS | AUDIOS
    parts = _PLAIN_URL.fullmatch(url)
    return parts is not None and any(_is_on(_origin(parts), source) for source in sources)


def is_inline(url: str) -> bool:
    """Whether the file itself is in the address."""
    return url[:5].lower() == "data:"


def inline_type(url: str) -> str:
    """Return the content type of an inline file; empty when there is no readable one."""
    inline = _DATA_URI.fullmatch(url)
    return canonical_type(inline[1]) if inline else ""


def canonical_type(content_type: str) -> str:
    """Return the type without parameters, in lower case, under its usual name."""
    named = content_type.partition(";")[0].strip().lower()
    return _ALIASES.get(named, named)


def path_of(url: str) -> str:
    """Return the path of a plain address, without query and fragment; empty for any other."""
    parts = _PLAIN_URL.fullmatch(url)
    return re.split(r"[?#]", parts["path"], maxsplit=1)[0] if parts else ""


def _origin(parts: re.Match[str]) -> _Origin:
    scheme, port = parts["scheme"].lower(), parts["port"]
    number = int(port) if port and port != "*" else _STANDARD_PORTS[scheme]
    return _Origin(scheme, parts["host"].lower(), number)


def _is_on(url: _Origin, source: str) -> bool:
    """Match like the browser's policy: http://host covers https://host too, on their usual ports."""
    parts = SOURCE.fullmatch(source)
    if parts is None:
        return False
    wanted = _origin(parts)
    is_secured = (wanted.scheme, url.scheme) == ("http", "https")
    if url.scheme != wanted.scheme and not is_secured:
        return False
    ports = (wanted.port, url.port)
    is_port = ports == (80, 443) if is_secured else wanted.port == url.port
    return (is_port or parts["port"] == "*") and _is_host(url.host, wanted.host)


def _is_host(name: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return name.endswith(pattern[1:]) and len(name) >= len(pattern)
    return pattern in ("*", name)
