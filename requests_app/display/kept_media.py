"""The media of an output as its row keeps them, so that a grid of many need not parse their outputs."""

from __future__ import annotations

import binascii
import json
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from django.conf import settings
from django.urls import reverse

from requests_app.display.media import MAX_MEDIA, Medium, iter_media
from requests_app.display.media_hosts import is_inline, is_showable
from requests_app.fal.jsontext import NotJson, parse_json
from requests_app.models import FalRequest
from requests_app.rules.storable import storable_text

KINDS = ("image", "video", "audio", "file")
INLINE = "data:"  # in place of an address: the medium stands in the output
WHOLE = "output"  # the output itself is the medium
MOST_BYTES = 64 * 1024  # of what is kept of one output; the media that fit, in its order
MOST_SEED = 40  # characters
_FACTS = ("kind", "path", "name", "content_type", "width", "height", "size")


def columns_of(media: Sequence[Medium], seed: str = "") -> dict[str, Any]:
    """Return the row's columns for these media; `seed`: as the output tells it."""
    kept, left = [], MOST_BYTES
    for medium in islice(media, MAX_MEDIA):
        facts = _facts(medium)
        left -= len(json.dumps(facts))
        if left < 0:
            break
        kept.append(facts)
    if not kept:
        return {"media_kinds": None, "media": None}
    found = {facts["kind"] for facts in kept}
    kinds = " ".join(kind for kind in KINDS if kind in found)
    return {"media_kinds": kinds, "media": {"items": kept, "seed": seed}}


def seed_of(value: object) -> str:
    """Return the seed that a parsed output names."""
    seed = value.get("seed") if isinstance(value, dict) else None
    is_told = isinstance(seed, int | str) and not isinstance(seed, bool)
    return storable_text(str(seed), MOST_SEED) if is_told else ""


def media_of(row: FalRequest) -> list[Medium]:
    """Return what pages may show of the row's media, each with the address that a page uses.

    A medium keeps its place: an address whose host is allowed no more becomes an empty one.
    """
    items = (row.media or {}).get("items", [])
    return [_medium(row, number, facts) for number, facts in enumerate(items)]


def seed_told(row: FalRequest) -> str:
    """Return the seed that was kept with the row's media."""
    return str((row.media or {}).get("seed", ""))


def inline_bytes(row: FalRequest, number: int, body: bytes) -> tuple[str, bytes] | None:
    """Return type and bytes of the medium of this number, when it stands in the output itself."""
    items = (row.media or {}).get("items", [])
    if not number < len(items) or items[number]["url"] != INLINE:
        return None
    path = items[number].get("path", "")
    try:
        found = iter_media(parse_json(body), ())  # no host is allowed: what is left is inline
        medium = next((one for one in found if one.path == path), None)
        if medium is not None:
            return medium.content_type, b64decode(medium.url.partition(",")[2], validate=True)
    except (NotJson, RecursionError, binascii.Error):
        pass
    return None


def _facts(medium: Medium) -> dict[str, Any]:
    facts = {name: getattr(medium, name) for name in _FACTS}
    url = INLINE if is_inline(medium.url) else medium.url
    return {"url": url, **{name: fact for name, fact in facts.items() if fact not in (None, "")}}


def _medium(row: FalRequest, number: int, facts: dict[str, Any]) -> Medium:
    known = {"path": "", "name": "", **facts}
    return replace(Medium(**known), url=_address(row, number, facts["url"]))


def _address(row: FalRequest, number: int, url: str) -> str:
    if url == WHOLE:
        return reverse("requests:output_media", args=[row.public_id])
    if url == INLINE:
        return reverse("requests:medium", args=[row.public_id, number])
    return url if is_showable(url, settings.FAL_MEDIA_HOSTS) else ""
