"""The short text and the thumbnail by which a list shows a request."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.conf import settings

from requests_app.display.kept_media import WHOLE, columns_of, seed_of
from requests_app.display.media import Medium, iter_media
from requests_app.display.media_hosts import is_inline
from requests_app.display.output_media import HEAD, shown_type
from requests_app.fal.jsontext import NotJson, parse_json
from requests_app.rules.storable import storable_text

SUMMARY_LENGTH = 200
LONGEST_SEED = 24
PARSED_AT_MOST = 2 * 1024 * 1024  # bytes of an output that is searched for an image
MOST_LOOKED_AT = 1000  # media of an output among which the first picture is looked for
IN_OUTPUT = "data:"  # the picture is in the output itself
_TELLING = ("prompt", "text", "query", "message", "input", "image_url", "url")


def of_input(input_text: str) -> dict[str, str | None]:
    """Return the columns derived from an input: the summary and the seed.

    Call it outside a transaction: an input of megabytes takes a while.
    """
    value = json.loads(input_text)
    return {"summary": _summary(value, input_text), "seed": _seed(value)}


def _seed(value: Any) -> str | None:
    """Return the seed of an input or output, in its own digits."""
    found = value.get("seed") if isinstance(value, dict) else None
    is_number = isinstance(found, int) and not isinstance(found, bool)
    return str(found) if is_number and len(str(found)) <= LONGEST_SEED else None


def _summary(value: Any, input_text: str) -> str:
    """Return the most telling string of the input, else the input itself, cut to one line."""
    strings: dict[str, str] = {}
    for name, found in _strings(value):  # the first of a name: in most inputs the outermost
        strings.setdefault(name, found)
    telling = next((strings[name] for name in _TELLING if strings.get(name)), None)
    longest = max(strings.values(), key=len, default="")
    text = telling or longest or (input_text if value else "")
    # Cut first: of an input of megabytes only the beginning is needed.
    words = " ".join(text.lstrip()[: 10 * SUMMARY_LENGTH].split())
    return storable_text(words, SUMMARY_LENGTH)


def of_output(columns: dict[str, Any]) -> dict[str, Any]:
    """Return the columns derived from an output: its media, the list's thumbnail, the seed."""
    body = columns.get("output")
    if not body:
        return {}
    if shown := shown_type(columns.get("output_type", ""), body[:HEAD]):
        kind = shown.partition("/")[0]
        picture = {"thumbnail_url": IN_OUTPUT} if kind == "image" else {}
        return picture | columns_of([Medium(kind, WHOLE, WHOLE, WHOLE, shown)])
    if len(body) > PARSED_AT_MOST:
        return {}
    try:
        value = parse_json(body)
        media = list(islice(iter_media(value, settings.FAL_MEDIA_HOSTS), MOST_LOOKED_AT))
    except (NotJson, RecursionError):
        return {}
    seed = _seed(value)
    told = {"seed": seed} if seed else {}  # else the input's stays
    return {"thumbnail_url": _first_picture(media), **told, **columns_of(media, seed_of(value))}


def _first_picture(media: list[Medium]) -> str:
    """Return its address. An inline one counts when there is no other, and stays where it is."""
    pictures = [medium.url for medium in media if medium.kind == "image"]
    inline = IN_OUTPUT if pictures else ""
    return next((url for url in pictures if not is_inline(url)), inline)


def _strings(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str) and not value.startswith("data:"):
        yield name, value
    elif isinstance(value, dict):
        for key, child in value.items():
            yield from _strings(child, str(key))
    elif isinstance(value, list):
        for child in value:
            yield from _strings(child, name)
