"""A request's output for a download: as JSON, the addresses of its files, its bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from django.conf import settings

from requests_app.display.json_preview import PARSE_LIMIT
from requests_app.display.media import iter_media
from requests_app.display.media_hosts import is_inline
from requests_app.models import FalRequest, OutputPart
from requests_app.request_input import InvalidInput, parse_input

REMOVED = "Removed"  # by retention or by a user


@dataclass(frozen=True)
class KeptOutput:
    """A request's output; `body` is whole, or None when it is large, absent or removed."""

    request: FalRequest
    body: bytes | None

    @classmethod
    def of(cls, request: FalRequest) -> KeptOutput:
        """Take it from a row that is loaded with its output."""
        body = None if request.output is None else bytes(request.output)
        return cls(request, body if body and len(body) == request.output_size else None)

    @property
    def is_removed(self) -> bool:
        return self.request.output_size > 0 and self.request.payload_removed_at is not None

    @cached_property
    def json(self) -> str | None:
        """Its text, if it is JSON."""
        try:
            text = (self.body or b"").decode()
            return text.strip() if text and parse_input(text) is not None else None
        except (UnicodeDecodeError, InvalidInput):
            return None

    def media(self) -> list[str]:
        """The addresses of its files."""
        if self.json is None:
            return []
        found = iter_media(json.loads(self.json), settings.FAL_MEDIA_HOSTS)
        return [medium.url for medium in found if not is_inline(medium.url)]


@dataclass(frozen=True)
class StoredOutput:
    """An output for a zip. `beginning`: what of it is in the row itself; of a small one all."""

    key: int
    content_type: str
    size: int
    beginning: bytes

    COLUMNS = ("pk", "output_type", "output_size", "output")

    @classmethod
    def of(cls, key: int, content_type: str, size: int, output: bytes | None) -> StoredOutput:
        """Take it from the columns of a row."""
        return cls(key, content_type, size, bytes(output or b""))

    def pieces(self) -> Iterator[bytes]:
        """Yield it whole; only a large one is read from the database."""
        if len(self.beginning) >= self.size:
            yield self.beginning
        else:
            yield from bytes_of_output(self.key)

    def parsable(self) -> bytes:
        """Return it, of a larger one than is parsed nothing."""
        if self.size > PARSE_LIMIT:
            return b""
        return b"".join(self.pieces())


def one_line(text: str | None) -> str:
    """Return JSON without line ends, which stand between tokens alone; without any: null."""
    # U+2028 and its like may stand raw inside a text.
    return (text or "null").replace("\r", " ").replace("\n", " ")


def bytes_of_output(key: int) -> Iterator[bytes]:
    """Yield the output of a request, a large one part by part."""
    found = FalRequest.objects.filter(pk=key).values_list("output", flat=True).first()
    yield bytes(found or b"")
    for number in (
        OutputPart.objects.filter(request=key).order_by("number").values_list("number", flat=True)
    ):
        part = OutputPart.objects.filter(request=key, number=number).values_list("data", flat=True)
        yield bytes(part.first() or b"")


def beginning_of_output(key: int) -> bytes:
    """Return the output, of a larger one than is parsed a little more than that."""
    body = bytearray()
    for piece in bytes_of_output(key):
        body += piece
        if len(body) > PARSE_LIMIT:
            break
    return bytes(body)
