"""Read what can be large only as far as it is needed."""

from __future__ import annotations

from django.db.models import BinaryField
from django.db.models.functions import Substr

from requests_app.models import FalRequest
from requests_app.preview import PAGE_LIMIT, PARSE_LIMIT

# Types a browser may be told; anything else is bytes to it.
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
    """The output if it is small enough to be parsed, else only its beginning."""
    most = PARSE_LIMIT if row.output_size <= PARSE_LIMIT else PAGE_LIMIT
    return _output(row, most)


def whole_output(row: FalRequest) -> bytes | None:
    """Every byte, None when there is no output."""
    found = FalRequest.objects.filter(pk=row.pk).values_list("output", flat=True).get()
    return None if found is None else bytes(found)


def _output(row: FalRequest, most: int) -> bytes:
    head = Substr("output", 1, most, output_field=BinaryField())
    found = FalRequest.objects.filter(pk=row.pk).values_list(head, flat=True).get()
    return bytes(found or b"")


def plain_type(given: str) -> tuple[str, str]:
    """A content type that is safe to send, and a file's ending for it."""
    name = given.partition(";")[0].strip().lower()
    if name in NAMED_TYPES:
        return name, NAMED_TYPES[name]
    return "application/octet-stream", "bin"
