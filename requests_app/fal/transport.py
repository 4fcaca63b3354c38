"""The wire itself: one HTTP call, its deadline, its size limit.

Calls never follow a redirect, send no cookie and ask for an uncompressed reply.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from tempfile import SpooledTemporaryFile
from urllib.parse import urlencode

import aiohttp
import httpx

from .call import Call
from .errors import NotSent, TooLarge, Unanswered
from .failures import failures_named
from .headers import ensure_ours
from .replies import Reply
from .reports import Rest
from .sessions import LazySession, new_client

MEGABYTE = 1024 * 1024
MESSAGE = 32 * MEGABYTE  # one event of a stream or message of a session: it may contain images
_PIECE = 256 * 1024
HELD = 8 * MEGABYTE  # bytes of a reply in memory; a larger one goes to a temporary file
BEGINNING = MEGABYTE  # the part of a larger one that stays in memory

# One decoder at most: each further one multiplies what a single 16 KB chunk can grow to.
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})


@dataclass(frozen=True)
class Timeouts:
    """Seconds. ``connect_s`` to ``pool_s`` end before a byte is sent; the others are total
    deadlines per call.

    ``read_s`` is the longest silence of a queue call, ``…_idle_s`` that of a stream (a status
    stream pings every
    15 s, a model stream does not).
    """

    connect_s: float = 5.0
    pool_s: float = 10.0
    read_s: float = 30.0
    submit_s: float = 60.0
    status_s: float = 15.0
    result_s: float = 300.0  # the largest possible result, at 1 MB/s
    cancel_s: float = 15.0
    listing_s: float = 30.0
    deletion_s: float = 30.0
    status_idle_s: float = 45.0
    stream_idle_s: float = 600.0


@dataclass(frozen=True)
class ReplyLimits:
    """Bytes after decoding: the limits of a result, a status with its log, a page of requests with
    their payloads, any other reply, and one stream event (or the whole reply in its place).
    """

    result: int = 256 * MEGABYTE
    status: int = 32 * MEGABYTE
    listing: int = 32 * MEGABYTE
    reply: int = 8 * MEGABYTE
    event: int = MESSAGE


class Wire:
    """A key and the connections it is used on. The key appears in no repr or log."""

    def __init__(
        self,
        key: str,
        *,
        client: httpx.AsyncClient | None = None,
        timeouts: Timeouts,
        limits: ReplyLimits,
    ) -> None:
        if key and not (key.isascii() and key.isprintable() and " " not in key):
            raise ValueError("The fal key holds characters that no key has.")
        self._key = key
        self._owned = client is None
        self._sessions = LazySession(reuse=True), LazySession(reuse=False)
        self._reads, self._posts = (client or new_client(each) for each in self._sessions)
        self.timeouts = timeouts
        self.limits = limits

    async def aclose(self) -> None:
        """Close what was opened here; a client that was passed in stays open."""
        if self._owned:
            await self._reads.aclose()
            await self._posts.aclose()
            for session in self._sessions:
                await session.aclose()

    async def exchange(
        self, call: Call, *, deadline_s: float, limit: int, held: int = HELD
    ) -> Reply:
        """Make the call once and read the whole reply, at most ``held`` bytes of it into memory.

        Raises NotSent, Unanswered or TooLarge.
        """
        with failures_named(call):
            async with (
                asyncio.timeout(deadline_s),
                aclosing(await self._send(call, deadline_s)) as response,
            ):
                return await read_reply(response, limit, call, held=held)

    async def get_small(self, call: Call, *, deadline_s: float, limit: int) -> Reply:
        """Like ``exchange``, for a GET whose reply is nearly always small: by aiohttp alone.

        httpx adds three times aiohttp's own processor time to such a call.
        """
        if not self._owned:
            return await self.exchange(call, deadline_s=deadline_s, limit=limit, held=limit)
        with failures_named(call):
            self._ensure_open(self._reads)
            timeout = aiohttp.ClientTimeout(
                total=deadline_s,
                connect=min(self.timeouts.pool_s, deadline_s / 3),
                sock_connect=min(self.timeouts.connect_s, deadline_s / 3),
            )
            async with self._sessions[0]().get(
                _with_params(call.url, call.params or {}),
                headers=self._our_headers(call),
                allow_redirects=False,
                auto_decompress=False,
                timeout=timeout,
            ) as response:
                if "Content-Encoding" in response.headers:
                    return await read_reply(_as_httpx(response), limit, call, held=limit)
                body = await _read_small(response, limit)
                return Reply(response.status, _header_map(response.raw_headers), body)

    @asynccontextmanager
    async def opened(self, call: Call) -> AsyncIterator[httpx.Response]:
        """Make the call once and leave its body to the caller, who reads it under
        ``failures_named``.
        """
        with failures_named(call):
            response = await self._send(call)
        async with aclosing(response):
            yield response

    async def _send(self, call: Call, deadline_s: float = math.inf) -> httpx.Response:
        client = self._posts if call.is_paid else self._reads
        self._ensure_open(client)
        request = self._request(client, call, deadline_s)
        return await client.send(request, stream=True, follow_redirects=False)

    def _ensure_open(self, client: httpx.AsyncClient) -> None:
        if client.is_closed:
            raise NotSent("The connection to fal has been shut down.")

    def _request(self, client: httpx.AsyncClient, call: Call, deadline_s: float) -> httpx.Request:
        ensure_ours(call.headers)
        timeouts = httpx.Timeout(
            # A deadline that struck while connecting could not tell that nothing was sent.
            connect=min(self.timeouts.connect_s, deadline_s / 3),
            pool=min(self.timeouts.pool_s, deadline_s / 3),
            read=call.idle_s,
            write=call.idle_s,
        )
        request = client.build_request(
            call.method,
            _with_params(call.url, call.params or {}),
            headers={**call.headers, **self._our_headers(call)},
            content=_in_pieces(call.body),
            timeout=timeouts,
        )
        request.headers.pop("cookie", None)  # httpx keeps cookies of other calls
        return request

    def _our_headers(self, call: Call) -> dict[str, str]:
        ours = {"Accept": call.accept, "Accept-Encoding": "identity", "User-Agent": "faldeck"}
        if call.body is not None:
            ours["Content-Type"] = "application/json"
            ours["Content-Length"] = str(len(call.body))
        if self._key:
            ours["Authorization"] = f"Key {self._key}"
        return ours


def _with_params(url: str, params: Mapping[str, str]) -> str:
    if not params or "?" in url or "#" in url:
        return str(httpx.URL(url).copy_merge_params(params))
    return f"{url}?{urlencode(params)}"


def _in_pieces(body: bytes | None) -> bytes | AsyncIterator[bytes] | None:
    """Split a large body, so that writing it does not block the other calls of the loop."""

    async def pieces(whole: bytes) -> AsyncIterator[bytes]:
        for start in range(0, len(whole), _PIECE):
            yield whole[start : start + _PIECE]

    return body if body is None or len(body) <= _PIECE else pieces(body)


async def read_reply(
    response: httpx.Response, limit: int, call: Call, *, held: int = HELD
) -> Reply:
    """Return the whole reply, at most ``limit`` decoded bytes. Raises TooLarge or Unanswered."""
    ensure_readable(response, call)
    file = SpooledTemporaryFile(held)  # noqa: SIM115 (a large result keeps it open)
    try:
        size = await _fill(file, response, limit)
    except BaseException:
        file.close()
        raise
    file.seek(0)
    status, headers = response.status_code, header_map(response)
    if size <= held:
        with file:
            return Reply(status, headers, file.read())
    return Reply(status, headers, file.read(BEGINNING), Rest(file, BEGINNING, size - BEGINNING))


async def _fill(file: SpooledTemporaryFile[bytes], response: httpx.Response, limit: int) -> int:
    """Return the body's size. Raises TooLarge, before reading if the reply declares it."""
    declared = response.headers.get("content-length", "")
    size = int(declared) if declared.isascii() and declared.isdecimal() else 0
    if size <= limit:
        size = 0
        async for chunk in response.aiter_bytes():
            size += len(chunk)
            if size > limit:
                break
            file.write(chunk)
    if size > limit:
        code = response.status_code
        raise TooLarge(f"The reply is larger than {limit} bytes.", status_code=code)
    return size


class _Body(httpx.AsyncByteStream):
    """The body of a reply to aiohttp, for httpx to unpack."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._content.iter_any():
            yield piece


def _as_httpx(response: aiohttp.ClientResponse) -> httpx.Response:
    body = _Body(response.content)
    return httpx.Response(response.status, headers=response.raw_headers, stream=body)


async def _read_small(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the body as it came. Raises TooLarge, before reading if the reply declares it."""
    pieces, size = [], response.content_length or 0
    if size <= limit:
        size = 0
        async for piece in response.content.iter_any():
            pieces.append(piece)
            size += len(piece)
            if size > limit:
                break
    if size > limit:
        raise TooLarge(f"The reply is larger than {limit} bytes.", status_code=response.status)
    return b"".join(pieces)


def ensure_readable(response: httpx.Response, call: Call) -> None:
    """Raise Unanswered for an unknown content encoding. We ask for none; one plain layer is
    tolerated.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise Unanswered(
            f"The reply is packed in a way that is not read here ({encoding[:40]}).",
            retryable=not call.is_paid,
            status_code=response.status_code,
        )


def header_map(response: httpx.Response) -> dict[str, str]:
    """Return reply headers with lower-case names."""
    return {name.lower(): value for name, value in response.headers.items()}


def _header_map(raw: Sequence[tuple[bytes, bytes]]) -> dict[str, str]:
    """Return what ``header_map`` does; httpx decodes what is not plain ASCII and joins repeats."""
    try:
        named = {name.decode("ascii").lower(): value.decode("ascii") for name, value in raw}
    except UnicodeDecodeError:
        named = {}
    if len(named) == len(raw):
        return named
    return {name.lower(): value for name, value in httpx.Headers(raw).items()}
