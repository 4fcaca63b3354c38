"""Read and send outputs, which may be large, only as far as needed."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from channels.db import database_sync_to_async
from django.db.models import BinaryField
from django.db.models.functions import Substr
from django.http import HttpResponse, StreamingHttpResponse

from requests_app.display.json_preview import PAGE_LIMIT, PARSE_LIMIT
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


def output_for_page(row: FalRequest) -> bytes:
    """Return the output if it is small enough to be parsed, else only its beginning."""
    most = PARSE_LIMIT if row.output_size <= PARSE_LIMIT else PAGE_LIMIT
    return _output(row, most)


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
    parts = _parts(row.pk, body)
    return StreamingHttpResponse(parts, content_type=content_type, headers=headers)


async def _parts(pk: int, beginning: bytes) -> AsyncGenerator[bytes]:
    yield beginning
    number = 1
    while part := await database_sync_to_async(_part)(pk, number):
        yield part
        number += 1


def _part(pk: int, number: int) -> bytes | None:
    found = OutputPart.objects.filter(request_id=pk, number=number)
    data = found.values_list("data", flat=True).first()
    return None if data is None else bytes(data)


def _output(row: FalRequest, most: int) -> bytes:
    head = Substr("output", 1, most, output_field=BinaryField())
    found = FalRequest.objects.filter(pk=row.pk).values_list(head, flat=True).get()
    return bytes(found or b"")


def plain_type(given: str) -> tuple[str, str]:
    """Return a content type that is safe to send, and a file extension for it."""
    name = given.partition(";")[0].strip().lower()
    if name in NAMED_TYPES:
        return name, NAMED_TYPES[name]
    return "application/octet-stream", "bin"
