"""The HTTP connections of all calls: the trust store, limits of headers, one pool for reads."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from functools import cache
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

# fal sends at most 16 KB of headers, be it one or thousands; aiohttp's own limits are 8 KB and
# 128.
HEADER_LINE = 64 * 1024  # bytes of one header, or of the status line
MOST_HEADERS = 4096


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


class LazySession:
    """aiohttp's session, made at the first call, because it belongs to the loop that it is made on.

    Without ``reuse`` each call gets its own connection. A peer may close a kept-alive connection
    in the same instant as we write to it, and then it would be unknown whether a submit was
    received. ``kept_s``: how long an idle connection is kept.
    """

    def __init__(self, *, reuse: bool, kept_s: float | None = None) -> None:
        self._reuse = reuse
        self._kept: dict[str, Any] = {"keepalive_timeout": kept_s} if kept_s is not None else {}
        self._made: aiohttp.ClientSession | None = None

    def __call__(self) -> aiohttp.ClientSession:
        if self._made is None:
            connector = aiohttp.TCPConnector(
                ssl=tls(), limit=0, force_close=not self._reuse, **self._kept
            )
            self._made = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                response_class=_Response,
                max_line_size=HEADER_LINE,
                max_field_size=HEADER_LINE,
                max_headers=MOST_HEADERS,
            )
        return self._made

    async def aclose(self) -> None:
        """Close the connections, if any were opened."""
        if self._made is not None:
            await self._made.close()


def new_client(session: Callable[[], aiohttp.ClientSession]) -> httpx.AsyncClient:
    """Create a client over aiohttp: httpx's own pool slows down with many calls at once."""
    return client_over(new_transport(session))


def client_over(transport: httpx.AsyncBaseTransport) -> httpx.AsyncClient:
    """Create a client that sends its calls by this."""
    return httpx.AsyncClient(transport=transport, follow_redirects=False)


def new_transport(session: Callable[[], aiohttp.ClientSession]) -> httpx.AsyncBaseTransport:
    """Create what such a client sends its calls by."""
    return AiohttpTransport(verify=tls(), client=session)
