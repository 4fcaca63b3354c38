"""The bytes inside a recorded message, which a page shows as an image or a sound. Pure.

A message is shown as JSON, where bytes have become ``{"$bytes": …}`` or ``{"$bytes_size": …}``; a
JSON pointer (RFC 6901) into that JSON leads to the bytes themselves in the message as it was on
the wire.
"""

from __future__ import annotations

from typing import Any

import msgpack

from requests_app.fal.realtime_incoming import Pairs, unpack
from requests_app.fal.realtime_media import media_type

SHOWABLE = frozenset(
    {
        *(f"image/{kind}" for kind in ("png", "jpeg", "gif", "webp", "avif")),
        *(f"audio/{kind}" for kind in ("flac", "ogg", "mpeg", "wav", "mp4")),
    }
)


def bytes_at(raw: bytes, pointer: str) -> bytes | None:
    """Return the bytes a pointer into the shown message leads to; "" is the message itself.

    None when there are none, for any message and any pointer.
    """
    try:
        value = unpack(raw)
    except Exception:  # hostile bytes raise any exception, see fal.realtime_incoming
        return None if pointer else raw
    for part in pointer.split("/")[1:]:
        value = _child(value, part.replace("~1", "/").replace("~0", "~"))
    if isinstance(value, str):  # old msgpack writers put bytes into strings
        return value.encode("utf-8", "surrogateescape")
    return value if isinstance(value, bytes) else None


def showable_type(data: bytes) -> str | None:
    """Return the type of an image or sound that browsers show, by its first bytes; None for the
    rest.
    """
    found = media_type(data)
    return found if found in SHOWABLE else None


def _child(value: Any, name: str) -> Any:
    if isinstance(value, Pairs):
        # A map with keys that are not plain texts is shown as {"$map": [[key, value], …]}.
        return list(value) if name == "$map" else dict(_named(value)).get(name)
    if isinstance(value, msgpack.ExtType):
        return value.data if name == "data" else None
    if isinstance(value, list | tuple) and name.isascii() and name.isdecimal():
        return value[int(name)] if len(name) < 7 and int(name) < len(value) else None
    return None


def _named(pairs: Pairs) -> list[tuple[str, Any]]:
    return [(key, item) for key, item in pairs if isinstance(key, str)]
