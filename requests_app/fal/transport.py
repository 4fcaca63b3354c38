"""The wire itself: one HTTP call, its deadline, its size limit, and whether bytes were sent when it
failed.

Calls never follow a redirect, send no cookie and ask for an uncompressed reply.
"""

from __future__ import annotations

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from tempfile import SpooledTemporaryFile
from typing import Any

import aiohttp
import httpx
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong
from httpx_aiohttp import AiohttpTransport

from .errors import BadReply, FalError, NotSent, TooLarge, Unanswered
from .headers import InvalidHeader, ensure_ours
from .replies import Reply
from .reports import Rest

MEGABYTE = 1024 * 1024
MESSAGE = 32 * MEGABYTE  # one event of a stream or message of a session: it may contain images
_PIECE = 256 * 1024
HELD = 8 * MEGABYTE  # bytes of a reply in memory; a larger one goes to a temporary file
BEGINNING = MEGABYTE  # the part of a larger one that stays in memory
# fal sends at most 16 KB of headers, be it one or thousands; aiohttp's own limits are 8 KB and
# 128.
HEADER_LINE = 64 * 1024  # bytes of one header, or of the status line
MOST_HEADERS = 4096

# One decoder at most: each further one multiplies what a single 16 KB chunk can grow to.
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})

_NEVER_LEFT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
)
_NEVER_LEFT_AIOHTTP = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.InvalidURL,
    aiohttp.NonHttpUrlClientError,
)


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


@dataclass(frozen=True)
class Call:
    """One call. ``headers`` are the caller's own (``x-…`` only); ``idle_s`` None: only the deadline
    counts.
    """

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None
    params: Mapping[str, str] | None = None
    accept: str = "application/json"
    idle_s: float | None = None

    @property
    def is_paid(self) -> bool:
        """Whether it may start paid work: every POST; GET and PUT (cancel) may be repeated freely."""
        return self.method == "POST"


class _Response(aiohttp.ClientResponse):
    """Decodes any reason phrase: httpx-aiohttp fails on bytes that are not UTF-8."""

    async def start(self, connection: Any) -> aiohttp.ClientResponse:
        started = await super().start(connection)
        self.reason = (self.reason or "").encode("utf-8", "surrogateescape").decode("latin-1")
        return started


@cache
def tls() -> ssl.SSLContext:
    """Return the trust store of all calls; building it takes tens of milliseconds."""
    return httpx.create_ssl_context()


def new_client(*, reuse: bool = True) -> httpx.AsyncClient:
    """Create a client over aiohttp: httpx's own pool slows down with many calls at once.

    Without ``reuse`` each call gets its own connection. A peer may close a kept-alive connection
    in the same instant as we write to it, and then it would be unknown whether a submit was
    received.
    """

    def session() -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(ssl=tls(), limit=0, force_close=not reuse)
        return aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            response_class=_Response,
            max_line_size=HEADER_LINE,
            max_field_size=HEADER_LINE,
            max_headers=MOST_HEADERS,
        )

    return httpx.AsyncClient(
        transport=AiohttpTransport(verify=tls(), client=session),
        follow_redirects=False,
    )


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
        self._reads = client or new_client()
        self._posts = client or new_client(reuse=False)
        self.timeouts = timeouts
        self.limits = limits

    async def aclose(self) -> None:
        """Close what was opened here; a client that was passed in stays open."""
        if self._owned:
            await self._reads.aclose()
            await self._posts.aclose()

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
        if client.is_closed:
            raise NotSent("The connection to fal has been shut down.")
        request = self._request(client, call, deadline_s)
        return await client.send(request, stream=True, follow_redirects=False)

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
            httpx.URL(call.url).copy_merge_params(call.params or {}),
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


@contextmanager
def failures_named(call: Call) -> Iterator[None]:
    """Turn whatever the transport raises into NotSent, BadReply or Unanswered.

    A cancelled task (CancelledError) passes through: its caller must treat a POST as Unanswered
    too.
    """
    try:
        yield
    except (
        httpx.HTTPError,
        httpx.StreamError,
        httpx.InvalidURL,
        aiohttp.ClientError,
        OSError,
    ) as exc:
        if never_left(exc):
            raise NotSent(f"fal could not be reached: {_reason(exc)}.") from exc
        retryable = not call.is_paid
        if bad := _bad_reply(exc):
            raise BadReply(bad, retryable=retryable) from exc
        raise Unanswered(f"fal did not answer: {_reason(exc)}.", retryable=retryable) from exc
    except (FalError, InvalidHeader):
        raise
    except Exception as exc:  # a library fails on a malformed reply
        sentence = f"fal's reply cannot be read here ({type(exc).__name__})."
        raise BadReply(sentence, retryable=not call.is_paid) from exc


def _bad_reply(exc: BaseException) -> str:
    """Say what is wrong with the head of the reply; empty when no reply came."""
    problem = exc.__cause__
    if not isinstance(problem, HttpProcessingError):
        return ""
    if isinstance(problem.__cause__, LineTooLong):
        return f"The reply has a header over {HEADER_LINE // 1024} kB, the most that is read here."
    if "Too many headers" in problem.message:
        return f"The reply has over {MOST_HEADERS} headers, the most that are read here."
    return "What came as the reply is not readable HTTP."


def never_left(exc: BaseException) -> bool:
    """Whether it is certain that no byte of the call left this machine.

    httpx-aiohttp calls every broken connection ``ConnectTimeout``, even one that broke after the
    body was sent; where aiohttp's own error is known, only that decides.
    """
    cause = exc.__cause__ if isinstance(exc.__cause__, aiohttp.ClientError) else exc
    if isinstance(cause, aiohttp.ClientError):
        return isinstance(cause, _NEVER_LEFT_AIOHTTP)
    return isinstance(cause, (*_NEVER_LEFT, httpx.InvalidURL))


def _reason(exc: BaseException) -> str:
    """Say the reason without the exception's own text, which may hold addresses and goes to the log
    only.
    """
    cause = exc.__cause__ if isinstance(exc.__cause__, aiohttp.ClientError) else exc
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return "the host name cannot be resolved"
    if isinstance(cause, aiohttp.ClientSSLError):
        return "no secure connection could be made"
    if isinstance(cause, TimeoutError | httpx.TimeoutException):
        return "the time ran out"
    return "the connection was refused" if never_left(exc) else "the connection broke off"
