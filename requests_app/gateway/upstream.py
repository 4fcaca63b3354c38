"""The connections to fal: one call, made once, its reply read by the caller's pace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from requests_app.fal.call import Call
from requests_app.fal.failures import failures_named
from requests_app.fal.sessions import LazySession

CONNECT_S = 10.0
# A kept connection saves a program the handshake of each call. fal may close one in the same instant as a
# submit leaves on it, so none is used that was idle for longer than servers wait at the least.
KEPT_S = 4.0
# Set by aiohttp where the caller sent none.
_NOT_OURS = frozenset({"accept", "accept-encoding", "content-type", "user-agent"})
_TIMEOUT = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)

Body = bytes | AsyncIterator[bytes] | None


class Upstream:
    """Bound to one event loop."""

    def __init__(self) -> None:
        self._session = LazySession(reuse=True, kept_s=KEPT_S)

    @asynccontextmanager
    async def opened(
        self, method: str, url: str, headers: list[tuple[str, str]], body: Body
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """Make the call. Raises NotSent or Unanswered; errors of the block are its own."""
        call = Call(method, url, {})
        with failures_named(call):
            response = await self._session().request(
                method,
                URL(url, encoded=True),
                headers=headers,
                data=body,
                allow_redirects=False,
                auto_decompress=False,
                skip_auto_headers=_NOT_OURS,
                timeout=_TIMEOUT,
            )
        is_read = False
        try:
            yield response
            is_read = True
        finally:
            if is_read:
                response.release()
            else:
                response.close()  # hang up: fal ends a direct call then

    async def aclose(self) -> None:
        await self._session.aclose()
