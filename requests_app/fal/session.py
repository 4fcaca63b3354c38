"""FalClient: fal's verbs on one key and one set of hosts."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

import httpx

from . import finished, queue, streams
from .endpoints import EndpointId, Hosts, RequestUrls
from .reports import CancelAnswer, Receipt, Result, StatusReport
from .transport import ReplyLimits, Timeouts, Wire


class FalClient:
    """One per key and event loop, shared by all calls; it never repeats a call automatically.

    ``client`` replaces both connection pools (tests, a proxy); it is not closed here. An empty key
    sends none.
    """

    def __init__(
        self,
        hosts: Hosts,
        key: str,
        *,
        client: httpx.AsyncClient | None = None,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 (frozen)
        limits: ReplyLimits = ReplyLimits(),  # noqa: B008 (frozen)
    ) -> None:
        self.hosts = hosts
        self._wire = Wire(key, client=client, timeouts=timeouts, limits=limits)

    def __repr__(self) -> str:
        return f"FalClient(queue={self.hosts.queue!r}, run={self.hosts.run!r})"

    async def aclose(self) -> None:
        """Close the connections; later calls raise NotSent."""
        await self._wire.aclose()

    async def __aenter__(self) -> FalClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def submit(
        self,
        endpoint: EndpointId,
        body: bytes,
        headers: Mapping[str, str],
        *,
        query: Mapping[str, str] | None = None,
        webhook_url: str | None = None,
    ) -> Receipt:
        """See ``queue.submit``: one POST, never repeated."""
        return await queue.submit(
            self._wire, self.hosts, endpoint, body, headers,
            query=query, webhook_url=webhook_url,
        )  # fmt: skip

    async def status(self, urls: RequestUrls, *, logs: bool = True) -> StatusReport:
        """See ``queue.status``."""
        return await queue.status(self._wire, urls, logs=logs)

    def follow_status(
        self, urls: RequestUrls, *, logs: bool = True
    ) -> AsyncGenerator[StatusReport]:
        """See ``streams.follow_status``."""
        return streams.follow_status(self._wire, urls, logs=logs)

    async def result(self, urls: RequestUrls) -> Result:
        """See ``queue.result``."""
        return await queue.result(self._wire, urls)

    async def cancel(self, urls: RequestUrls) -> CancelAnswer:
        """See ``queue.cancel``."""
        return await queue.cancel(self._wire, urls)

    def finished(self, window: finished.Window) -> AsyncIterator[finished.Listed]:
        """See ``finished.finished``."""
        return finished.finished(self._wire, self.hosts, window)

    async def run(
        self, endpoint: EndpointId, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> Result:
        """See ``queue.run``: one POST, never repeated."""
        return await queue.run(self._wire, self.hosts, endpoint, body, headers, timeout_s=timeout_s)

    def stream(
        self,
        endpoint: EndpointId,
        body: bytes,
        headers: Mapping[str, str],
        *,
        path: str = "/stream",
    ) -> AbstractAsyncContextManager[streams.Stream]:
        """See ``streams.stream``: one POST, never repeated."""
        return streams.stream(self._wire, self.hosts, endpoint, body, headers, path=path)
