"""Fetch a picture from a media host: bounded in bytes and time, no redirect, never from a private address.

The address comes from a model, so it is untrusted. Its host must be one of FAL_MEDIA_HOSTS, and must
resolve to public addresses, unless that setting names the very host (the sandbox, a store in the
operator's own network).
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from urllib.parse import urlsplit

import aiohttp

from requests_app.display.media_hosts import SOURCE, is_showable
from requests_app.fal.public_addresses import PublicResolver, guarded_session
from requests_app.thumbnails.problems import NoThumbnail

MOST_BYTES = 32 * 1024 * 1024
DEADLINE_S = 20.0  # from the name's resolution to the last byte
_CHUNK = 64 * 1024
_GONE = (401, 403, 404, 410)  # an expired address is refused in one of these ways
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "faldeck"}


async def fetch_picture(
    url: str,
    sources: Sequence[str],
    *,
    most: int = MOST_BYTES,
    deadline_s: float = DEADLINE_S,
) -> bytes:
    """Return the bytes behind the address. Raises NoThumbnail."""
    if not is_showable(url, sources):
        raise NoThumbnail("The picture is not on one of the media hosts.", is_final=True)
    found = (SOURCE.fullmatch(source) for source in sources)
    resolver = PublicResolver(parts["host"] for parts in found if parts)
    try:
        async with asyncio.timeout(deadline_s), guarded_session(resolver) as session:
            resolver.ensure_allowed(urlsplit(url).hostname or "")
            async with session.get(url, headers=_HEADERS, allow_redirects=False) as reply:
                return await _body(reply, most)
    except TimeoutError:
        sentence = f"The picture did not arrive within {deadline_s:g} s."
        raise NoThumbnail(sentence, is_final=False) from None
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if resolver.has_refused:
            raise NoThumbnail("The picture's host has a private address.", is_final=True) from error
        sentence = f"The picture could not be fetched: {type(error).__name__}."
        raise NoThumbnail(sentence, is_final=False) from error


async def _body(reply: aiohttp.ClientResponse, most: int) -> bytes:
    if reply.status != 200:
        is_gone = reply.status in _GONE
        words = "is no longer there" if is_gone else "could not be fetched"
        is_redirect = 300 <= reply.status < 400
        sentence = f"The picture {words}: HTTP {reply.status}."
        raise NoThumbnail(sentence, is_final=is_redirect)
    raw = bytearray()
    if (reply.content_length or 0) <= most:
        async for piece in reply.content.iter_chunked(_CHUNK):
            raw += piece
            if len(raw) > most:
                break
        else:
            return bytes(raw)
    raise NoThumbnail(f"The picture is larger than {most:,} bytes.", is_final=True)
