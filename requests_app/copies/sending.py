"""A kept file, or a range of it, as a reply."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from typing import NamedTuple

from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.utils.http import content_disposition_header, parse_etags

from requests_app.copies.states import note_lost
from requests_app.copies.store import Bytes, MissingFile, StoreProblem, copy_store
from requests_app.display.byte_range import OutOfRange, parse_range
from requests_app.display.inert import inert
from requests_app.models import CopyState, FalRequest, KeptFile, MediaCopy

PIECE = 256 * 1024
# The browser may keep it, and asks each time whether it still may show it.
CACHED = "private, no-cache"


class AskedBytes(NamedTuple):
    """The headers of a request that decide what is sent."""

    range: str = ""
    if_range: str = ""
    if_none_match: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> AskedBytes:
        names = ("Range", "If-Range", "If-None-Match")
        return cls(*(headers.get(name, "") for name in names))


def kept_copy(row: FalRequest, number: int) -> MediaCopy | None:
    """Return a request's kept copy of its medium with this number."""
    kept = MediaCopy.objects.filter(request=row, number=number, state=CopyState.KEPT)
    return kept.select_related("file").first()


def copy_response(row: FalRequest, copy: MediaCopy, asked: AskedBytes) -> HttpResponseBase | None:
    """Return the file: harmless types to be shown, all others as a download. None when it was lost."""
    file = copy.file
    if file is None:
        return None
    etag = f'"{file.sha256}"'
    known = parse_etags(asked.if_none_match)
    if etag in known or "*" in known:
        return _headed(HttpResponse(status=304), etag)
    try:
        wanted = parse_range(asked.range, file.size) if asked.if_range in ("", etag) else None
    except OutOfRange:
        refused = HttpResponse(status=416, headers={"Content-Range": f"bytes */{file.size}"})
        return _headed(refused, etag)
    first, last = wanted or (0, file.size - 1)
    try:
        response = _pieces_of(file, first, last)
    except MissingFile:
        note_lost(file.pk, timezone.now())
        return None
    except StoreProblem as problem:
        return _headed(HttpResponse(f"{problem}\n", status=503, content_type="text/plain"), etag)
    response["Content-Type"] = copy.shown_type or "application/octet-stream"
    response["Content-Length"] = str(last - first + 1)
    response["Accept-Ranges"] = "bytes"
    name = copy.name or f"{row.public_id}-{copy.number}"
    response["Content-Disposition"] = content_disposition_header(not copy.shown_type, name) or ""
    if wanted:
        response.status_code = 206
        response["Content-Range"] = f"bytes {first}-{last}/{file.size}"
    return _headed(response, etag)


def _headed(response: HttpResponseBase, etag: str) -> HttpResponseBase:
    response["Cache-Control"], response["ETag"] = CACHED, etag
    return inert(response)


def _pieces_of(file: KeptFile, first: int, last: int) -> StreamingHttpResponse:
    if last < first:
        return StreamingHttpResponse(iter(()))
    source = copy_store().opened_at(file.name, first, last)
    return StreamingHttpResponse(_Pieces(source, last - first + 1))


class _Pieces:
    """Reads in threads; the reply closes it, also when nothing was read of it."""

    def __init__(self, source: Bytes, size: int) -> None:
        self._source, self._left = source, size
        self.close = source.close

    async def __aiter__(self) -> AsyncGenerator[bytes]:
        try:
            while self._left:
                piece = await asyncio.to_thread(self._source.read, min(PIECE, self._left))
                if not piece:
                    raise StoreProblem("The file is shorter than it was.")
                self._left -= len(piece)
                yield piece
        finally:
            self.close()
