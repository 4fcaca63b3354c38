"""Where the picture of a request is: behind an address, in our own copy, or in its output itself."""

from __future__ import annotations

import base64
import binascii
from contextlib import closing

from django.conf import settings

from requests_app.copies.store import StoreProblem, copy_store
from requests_app.display.kept_media import inline_bytes
from requests_app.display.media import iter_media
from requests_app.display.output_media import HEAD, shown_type
from requests_app.display.summary import PARSED_AT_MOST
from requests_app.export.outputs import bytes_of_output
from requests_app.fal.jsontext import NotJson, parse_json
from requests_app.models import CopyState, FalRequest, KeptFile, MediaCopy
from requests_app.thumbnails.problems import NoThumbnail

PIECE = 1024 * 1024


def inline_picture(pk: int, number: int | None, *, most: int) -> bytes:
    """Return the medium of this number in the output's own bytes; None: the first picture. Raises NoThumbnail."""
    row = FalRequest.objects.filter(pk=pk).only("output_type", "output_size", "media").first()
    if row is not None and row.output_size > most:
        raise NoThumbnail(f"The output is larger than {most:,} bytes.", is_final=True)
    body = b"".join(bytes_of_output(pk))
    if row is None or not body:
        raise NoThumbnail("The output was removed.", is_final=True)
    if number is not None:
        found = inline_bytes(row, number, body[: PARSED_AT_MOST + 1])
        if found is None:
            raise _none()
        return found[1]
    if shown_type(row.output_type, body[:HEAD]).startswith("image/"):
        return body
    return _in_json(body[: PARSED_AT_MOST + 1])


def _in_json(body: bytes) -> bytes:
    try:
        found = iter_media(parse_json(body), settings.FAL_MEDIA_HOSTS)
        medium = next((m for m in found if m.kind == "image" and m.is_inline), None)
        if medium is not None:
            return base64.b64decode(medium.url.partition(",")[2], validate=True)
    except (NotJson, RecursionError, binascii.Error):
        pass
    raise _none()


def _none() -> NoThumbnail:
    return NoThumbnail("The output holds no picture that can be read.", is_final=True)


def kept_picture(pk: int, url: str) -> KeptFile | None:
    """Return our own copy of the picture, if it is kept: fal's may be gone."""
    kept = MediaCopy.objects.filter(request=pk, url=url, state=CopyState.KEPT)
    copy = kept.select_related("file").first()
    return copy.file if copy else None


def bytes_of(file: KeptFile, *, most: int) -> bytes:
    """Read a kept file; the store may be elsewhere. Raises NoThumbnail."""
    if not 0 < file.size <= most:
        raise NoThumbnail(f"The picture is larger than {most:,} bytes.", is_final=True)
    try:
        with closing(copy_store().opened_at(file.name, 0, file.size - 1)) as source:
            pieces = iter(lambda: source.read(PIECE), b"")
            return b"".join(pieces)
    except StoreProblem as problem:
        raise NoThumbnail(str(problem), is_final=False) from problem
