"""Read and send outputs, which may be large, only as far as needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from channels.db import database_sync_to_async
from django.db.models import BinaryField
from django.db.models.functions import Length, Substr
from django.http import HttpResponse, StreamingHttpResponse

from requests_app.display.json_preview import PAGE_LIMIT, PARSE_LIMIT
from requests_app.display.media_hosts import canonical_type
from requests_app.models import FalRequest, OutputPart

# Types a browser may be told; anything else is sent as bytes.
NAMED_TYPES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/webp": "webp",
    "image/gif": "gif",
    "video/mp4": "mp4",
    "video/webm": "webm",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "application/json": "json",
    "text/plain": "txt",
}


WHOLE = 256 * 1024  # bytes of an output that is read at once; no part begins before


def output_for_page(row: FalRequest) -> bytes:
    """Return the output if it is small enough to be parsed, else only its beginning."""
    most = PARSE_LIMIT if row.output_size <= PARSE_LIMIT else PAGE_LIMIT
    return output_beginning(row, most)


def output_column(row: FalRequest) -> bytes | None:
    """Return every byte, of a large output only the beginning; None when there is no output."""
    found = FalRequest.objects.filter(pk=row.pk).values_list("output", flat=True).get()
    return None if found is None else bytes(found)


def output_response(row: FalRequest) -> HttpResponse | StreamingHttpResponse | None:
    """Return the output as a reply, a large one part by part; None when there is no output."""
    body = output_column(row)
    if body is None:
        return None
    content_type, ending = plain_type(row.output_type)
    if content_type.startswith("text/"):
        content_type += "; charset=utf-8"
    headers = {
        "Content-Disposition": f'attachment; filename="{row.public_id}.{ending}"',
        "Content-Length": str(row.output_size),
    }
    if len(body) == row.output_size:
        return HttpResponse(body, content_type=content_type, headers=headers)
    response = output_range(row, 0, row.output_size - 1, content_type=content_type)
    for name, value in headers.items():
        response[name] = value
    return response


def output_range(
    row: FalRequest, first: int, last: int, *, content_type: str
) -> HttpResponse | StreamingHttpResponse:
    """Return the bytes from the first to the last, both included, part by part."""
    headers = {"Content-Length": str(last - first + 1)}
    if row.output_size <= WHOLE:
        body = output_column(row) or b""
        return HttpResponse(body[first : last + 1], content_type=content_type, headers=headers)
    pieces = _between(row.pk, first, last)
    return StreamingHttpResponse(pieces, content_type=content_type, headers=headers)


async def _between(pk: int, first: int, last: int) -> AsyncGenerator[bytes]:
    start = 0
    for number, length in await database_sync_to_async(_lengths)(pk):
        if first < start + length and start <= last:
            piece = await database_sync_to_async(_piece)(pk, number)
            yield piece[max(0, first - start) : last + 1 - start]
        start += length


def _lengths(pk: int) -> list[tuple[int, int]]:
    """Return how long the column (number 0) and each part is."""
    column = FalRequest.objects.filter(pk=pk).values_list(Length("output"), flat=True).first()
    parts = OutputPart.objects.filter(request_id=pk).order_by("number")
    return [(0, column or 0), *parts.values_list("number", Length("data"))]


def _piece(pk: int, number: int) -> bytes:
    if number:
        found = OutputPart.objects.filter(request_id=pk, number=number)
        data = found.values_list("data", flat=True).first()
    else:
        data = FalRequest.objects.filter(pk=pk).values_list("output", flat=True).first()
    return bytes(data or b"")


def output_beginning(row: FalRequest, most: int) -> bytes:
    """Return at most so many of its first bytes; b"" when there is no output."""
    head = Substr("output", 1, most, output_field=BinaryField())
    found = FalRequest.objects.filter(pk=row.pk).values_list(head, flat=True).get()
    return bytes(found or b"")


def plain_type(given: str) -> tuple[str, str]:
    """Return a content type that is safe to send, and a file extension for it."""
    name = canonical_type(given)
    if name in NAMED_TYPES:
        return name, NAMED_TYPES[name]
    return "application/octet-stream", "bin"
