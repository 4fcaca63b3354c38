"""Fetch a picture from a media host, whole and in memory."""

from __future__ import annotations

from collections.abc import Sequence

from requests_app.copies.fetching import Cause, NotFetched, WantedFile, opened
from requests_app.thumbnails.problems import NoThumbnail

MOST_BYTES = 32 * 1024 * 1024
DEADLINE_S = 20.0  # from the name's resolution to the last byte


async def fetch_picture(
    url: str,
    sources: Sequence[str],
    *,
    most: int = MOST_BYTES,
    deadline_s: float = DEADLINE_S,
) -> bytes:
    """Return the bytes behind the address. Raises NoThumbnail."""
    wanted = WantedFile(url, sources, most, deadline_s, word="picture", accept="image/*")
    try:
        async with opened(wanted) as incoming:
            return b"".join([piece async for piece in incoming.pieces])
    except NotFetched as error:
        is_final = error.cause in (Cause.REFUSED, Cause.LARGE)
        raise NoThumbnail(str(error), is_final=is_final) from error
