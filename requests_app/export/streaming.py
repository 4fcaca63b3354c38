"""Pieces as a reply that is streamed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator

from channels.db import DatabaseSyncToAsync
from django.http import StreamingHttpResponse

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
    "zip": "application/zip",
}


def download(pieces: Iterator[bytes], *, name: str, format: str) -> StreamingHttpResponse:
    """Stream the pieces as a file."""
    return StreamingHttpResponse(
        streamed(pieces),
        content_type=TYPES[format],
        headers={
            "Content-Disposition": f'attachment; filename="{name}.{format}"',
            "X-Content-Type-Options": "nosniff",
        },
    )


async def streamed(pieces: Iterator[bytes]) -> AsyncGenerator[bytes]:
    """Yield what a blocking iterator yields, about 64 kB at a time, each read in a thread."""
    read = DatabaseSyncToAsync(_some, thread_sensitive=False)
    while piece := await read(pieces):
        yield piece


def _some(pieces: Iterator[bytes]) -> bytes:
    buffer = bytearray()
    for piece in pieces:
        buffer += piece
        if len(buffer) >= 64 * 1024:
            break
    return bytes(buffer)
