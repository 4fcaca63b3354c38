"""Files that input and output name: their bytes, or the reason why they are not there."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings

from requests_app.display.json_preview import PARSE_LIMIT
from requests_app.display.media import Medium, iter_media
from requests_app.display.media_hosts import AUDIOS, IMAGES, VIDEOS, is_inline
from requests_app.display.output_download import plain_type
from requests_app.export.outputs import beginning_of_output
from requests_app.models import FalRequest
from requests_app.runfile.layout import media_name
from requests_app.thumbnails.fetching import DEADLINE_S, MOST_BYTES, fetch_picture
from requests_app.thumbnails.problems import NoThumbnail

MOST = 100  # files of one run
MOST_TOTAL = 512 * 1024 * 1024  # bytes of all of them
ALL_WITHIN_S = 120.0
_ANYWHERE = ("https://*:*", "http://*:*")
_KNOWN = IMAGES | VIDEOS | AUDIOS


@dataclass(frozen=True)
class MediaNote:
    """A file that input or output names. `file`: its name in the zip; `why_not`: a sentence instead."""

    place: str  # "input" or "output", and where in it
    url: str
    content_type: str
    file: str | None = None
    why_not: str = ""

    @property
    def kind(self) -> str:
        """Return image, video, audio or file."""
        return self.content_type.partition("/")[0] if self.content_type in _KNOWN else "file"

    def for_json(self) -> dict[str, Any]:
        """Return it as run.json has it."""
        return asdict(self)


def fetched(row: FalRequest) -> Iterator[tuple[MediaNote, bytes]]:
    """Yield each file once, in order, one in memory at a time; without bytes where it has a reason."""
    end, left, seen = time.monotonic() + ALL_WITHIN_S, MOST_TOTAL, set[str]()
    for side, medium in _named(row):
        if medium.url in seen:
            continue
        seen.add(medium.url)
        place = f"{side}: {medium.path}" if medium.path else side
        shown = medium.url if not is_inline(medium.url) else "data:"
        try:
            data = _bytes_of(medium, len(seen), left, end)
        except NoThumbnail as error:
            why = str(error).replace("picture", "file")
            yield MediaNote(place, shown, medium.content_type, why_not=why), b""
            continue
        left -= len(data)
        ending = plain_type(medium.content_type)[1]
        name = media_name(len(seen), ending)
        yield MediaNote(place, shown, medium.content_type, file=name), data


def _named(row: FalRequest) -> Iterator[tuple[str, Medium]]:
    if row.payload_removed_at is not None:
        return
    is_parsed = 0 < row.output_size <= PARSE_LIMIT
    output = beginning_of_output(row.pk) if is_parsed else b""
    for side, body in (("input", row.input_text.encode()), ("output", output)):
        if len(body) > PARSE_LIMIT:
            continue
        try:
            value = json.loads(body) if body else None
        except (ValueError, RecursionError):
            continue
        yield from ((side, medium) for medium in iter_media(value, _ANYWHERE))


def _bytes_of(medium: Medium, number: int, left: int, end: float) -> bytes:
    """Raises NoThumbnail."""
    if number > MOST:
        raise _refused(f"A run's file has at most {MOST} of them.")
    if is_inline(medium.url):
        try:
            return base64.b64decode(medium.url.partition(",")[2], validate=True)
        except binascii.Error:
            raise _refused("Its text cannot be read.") from None
    deadline_s = min(DEADLINE_S, end - time.monotonic())
    if deadline_s <= 0:
        raise _refused(f"All together took longer than {ALL_WITHIN_S:g} s.")
    if left <= 0:
        raise _refused(f"All together are larger than {MOST_TOTAL:,} bytes.")
    wanted = fetch_picture(
        medium.url, settings.FAL_MEDIA_HOSTS, most=min(MOST_BYTES, left), deadline_s=deadline_s
    )
    return asyncio.run(wanted)


def _refused(sentence: str) -> NoThumbnail:
    return NoThumbnail(sentence, is_final=True)
