"""Fetch a file from a media host: bounded in bytes and time, no redirect, never from a private address.

The address comes from a model, so it is untrusted. Its host must be one of FAL_MEDIA_HOSTS, and must
resolve to public addresses, unless that setting names the very host (the sandbox, a store in the
operator's own network).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import aiohttp

from requests_app.display.media_hosts import SOURCE, is_showable
from requests_app.fal.public_addresses import PublicResolver, guarded_session

IDLE_S = 30.0  # without a byte
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=IDLE_S, sock_read=IDLE_S)
_CHUNK = 64 * 1024
_GONE = (401, 403, 404, 410)  # an expired address is refused in one of these ways


class Cause(StrEnum):
    """Why a file was not fetched."""

    REFUSED = "refused"  # by us, or by a redirect: another try cannot help
    GONE = "gone"
    LARGE = "large"
    FAILED = "failed"


class NotFetched(Exception):
    """The message is a sentence for users."""

    def __init__(self, sentence: str, cause: Cause) -> None:
        super().__init__(sentence)
        self.cause = cause


@dataclass(frozen=True)
class WantedFile:
    """A file to fetch. `word`: what sentences call it; `accept`: the types that are asked for."""

    url: str
    sources: Sequence[str]
    most: int  # bytes
    deadline_s: float  # from the name's resolution to the last byte
    word: str = "file"
    accept: str = "*/*"


@dataclass(frozen=True)
class OpenedFile:
    """A file that has begun to come. Its length is None when the host does not tell it."""

    length: int | None
    content_type: str
    is_packed: bool  # gzip or the like, although nothing of that kind was asked for
    pieces: AsyncGenerator[bytes]


@asynccontextmanager
async def opened(wanted: WantedFile) -> AsyncIterator[OpenedFile]:
    """Open the file and give its pieces, at most `most` bytes. Raises NotFetched."""
    if not is_showable(wanted.url, wanted.sources):
        sentence = f"The {wanted.word} is not on one of the media hosts."
        raise NotFetched(sentence, Cause.REFUSED)
    named = (SOURCE.fullmatch(source) for source in wanted.sources)
    guard = PublicResolver(parts["host"] for parts in named if parts)
    headers = {"Accept": wanted.accept, "Accept-Encoding": "identity", "User-Agent": "faldeck"}
    try:
        async with asyncio.timeout(wanted.deadline_s), guarded_session(guard) as session:
            with _told(wanted, guard):
                guard.ensure_allowed(urlsplit(wanted.url).hostname or "")
                reply = await session.get(
                    wanted.url, headers=headers, allow_redirects=False, timeout=_TIMEOUT
                )
            async with reply:
                yield _incoming(reply, wanted, guard)
    except TimeoutError:
        sentence = f"The {wanted.word} did not arrive within {wanted.deadline_s:g} s."
        raise NotFetched(sentence, Cause.FAILED) from None


def _incoming(
    reply: aiohttp.ClientResponse, wanted: WantedFile, guard: PublicResolver
) -> OpenedFile:
    if reply.status != 200:
        is_gone = reply.status in _GONE
        words = "is no longer there" if is_gone else "could not be fetched"
        cause = Cause.GONE if is_gone else Cause.FAILED
        if 300 <= reply.status < 400:
            cause = Cause.REFUSED
        raise NotFetched(f"The {wanted.word} {words}: HTTP {reply.status}.", cause)
    if (reply.content_length or 0) > wanted.most:
        raise _too_large(wanted)
    return OpenedFile(
        length=reply.content_length,
        content_type=reply.headers.get("Content-Type", ""),
        is_packed=reply.headers.get("Content-Encoding", "identity").lower() != "identity",
        pieces=_pieces(reply, wanted, guard),
    )


async def _pieces(
    reply: aiohttp.ClientResponse, wanted: WantedFile, guard: PublicResolver
) -> AsyncGenerator[bytes]:
    count = 0
    chunks = reply.content.iter_chunked(_CHUNK)
    while True:
        with _told(wanted, guard):
            piece = await anext(chunks, b"")
        if not piece:
            return
        count += len(piece)
        if count > wanted.most:
            raise _too_large(wanted)
        yield piece


def _too_large(wanted: WantedFile) -> NotFetched:
    return NotFetched(f"The {wanted.word} is larger than {wanted.most:,} bytes.", Cause.LARGE)


@contextmanager
def _told(wanted: WantedFile, guard: PublicResolver) -> Iterator[None]:
    try:
        yield
    except (aiohttp.ClientError, OSError, ValueError) as error:
        if guard.has_refused:
            sentence = f"The {wanted.word}'s host has a private address."
            raise NotFetched(sentence, Cause.REFUSED) from error
        sentence = f"The {wanted.word} could not be fetched: {type(error).__name__}."
        raise NotFetched(sentence, Cause.FAILED) from error
