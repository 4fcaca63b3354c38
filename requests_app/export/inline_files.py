"""Files that stand in an output itself, as data URIs: the zip of results has them as files."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator

from requests_app.display.json_preview import PARSE_LIMIT
from requests_app.display.media import iter_media
from requests_app.display.output_download import plain_type

_SIGN = b";base64,"


def inline_files(body: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield ending and content of each picture, recording and video, in the output's order.

    An output that is too large to be parsed has none.
    """
    if _SIGN not in body or len(body) > PARSE_LIMIT:
        return
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return
    for medium in iter_media(value, ()):  # no host is allowed: what is left is inline
        try:
            content = base64.b64decode(medium.url.partition(",")[2], validate=True)
        except binascii.Error:
            continue
        yield plain_type(medium.content_type)[1], content
