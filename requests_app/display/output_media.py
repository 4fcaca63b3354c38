"""An output that is itself a picture, a recording or a video, and not JSON with addresses of some."""

from __future__ import annotations

import codecs

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.urls import reverse

from requests_app.display.byte_range import OutOfRange, parse_range
from requests_app.display.media import TELLS_NOTHING, Medium
from requests_app.display.media_hosts import AUDIOS, IMAGES, VIDEOS, canonical_type
from requests_app.display.output_download import output_beginning, output_range, plain_type
from requests_app.fal.realtime_media import media_type
from requests_app.models import FalRequest

HEAD = 4096  # bytes that tell what an output is
SHOWN = IMAGES | VIDEOS | AUDIOS
_KINDS = ("image", "video", "audio")


def shown_type(given: str, head: bytes) -> str:
    """Return the harmless type under which a browser may show an output that begins so; "" for none.

    A type that browsers do not know is judged by the first bytes. Text is text, whatever it is called: an
    error that stands in the place of a picture has to be read.
    """
    named = canonical_type(given)
    kind = named.partition("/")[0]
    if not head or _is_text(head[:HEAD]) or not (kind in _KINDS or named in TELLS_NOTHING):
        return ""
    if named in SHOWN:
        return named
    found = media_type(head)
    # "audio/webm" begins as a video does, and plays as one; a HEIC picture begins so too, and does not.
    is_other = kind == "image" and not found.startswith("image/")
    return found if found in SHOWN and not is_other else ""


def medium_of(row: FalRequest, head: bytes) -> Medium | None:
    """Return the output as something to look at, if it is."""
    content_type = shown_type(row.output_type, head)
    if not content_type:
        return None
    return Medium(
        kind=content_type.partition("/")[0],
        url=reverse("requests:output_media", args=[row.public_id]),
        path="output",
        name="output",
        content_type=content_type,
    )


def media_response(row: FalRequest, range_header: str) -> HttpResponseBase | None:
    """Return the output for a picture or player of ours, or the range of it that a player asks for."""
    content_type = shown_type(row.output_type, output_beginning(row, HEAD))
    if not content_type:
        return None
    ending = plain_type(content_type)[1]
    size = row.output_size
    try:
        wanted = parse_range(range_header, size)
    except OutOfRange:
        return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    first, last = wanted or (0, size - 1)
    response = output_range(row, first, last, content_type=content_type)
    response["Accept-Ranges"] = "bytes"
    response["Content-Disposition"] = f'inline; filename="{row.public_id}.{ending}"'
    if wanted:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{last}/{size}"
    return response


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)  # the end may be half a character
    except UnicodeDecodeError:
        return False
    return True
