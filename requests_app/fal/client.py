"""FalClient: fal's verbs on one key and one set of hosts. Each call is made once and never repeated."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TypeVar

import httpx

from . import finished, payload_deletion
from .call import Call
from .endpoints import EndpointId, Hosts, RequestUrls, run_url, stream_url, submit_url
from .errors import TooLarge, Unanswered
from .replies import Reply, read_cancel, read_receipt, read_status
from .reports import CancelAnswer, Receipt, Result, StatusReport
from .result_replies import read_queue_result, read_run_result
from .streams import EVENT_STREAM, Stream, events_of, status_of, status_stream_url
from .transport import ReplyLimits, Timeouts, Wire

QUICKLY_READ = 256 * 1024  # bytes of a reply that are parsed without blocking the loop

T = TypeVar("T")


class FalClient:
    """One per key and event loop, shared by all calls.

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
        self.wire = Wire(key, client=client, timeouts=timeouts, limits=limits)

    def __repr__(self) -> str:
        return f"FalClient(queue={self.hosts.queue!r}, run={self.hosts.run!r})"

    async def aclose(self) -> None:
        """Close the connections; later calls raise NotSent."""
        await self.wire.aclose()

    async def __aenter__(self) -> FalClient:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    # --- the queue

    async def submit(
        self,
        endpoint: EndpointId,
        body: bytes,
        headers: Mapping[str, str],
        *,
        query: Mapping[str, str] | None = None,
        webhook_url: str | None = None,
    ) -> Receipt:
        """POST the model input once. Raises NotSent, Unanswered (outcome unknown) or Refused."""
        params = dict(query or {})
        if webhook_url is not None:
            params["fal_webhook"] = webhook_url
        timeouts = self.wire.timeouts
        url = submit_url(self.hosts, endpoint)
        call = Call("POST", url, headers, body, params, idle_s=timeouts.read_s)
        limit = self.wire.limits.reply
        reply = await self.wire.exchange(call, deadline_s=timeouts.submit_s, limit=limit)
        return read_receipt(reply, self.hosts, endpoint)

    async def status(self, urls: RequestUrls, *, logs: bool = True) -> StatusReport:
        """Poll once. Raises NotSent, Unanswered (may be retried) or Refused."""
        call = Call("GET", urls.status, {}, params=_log_params(logs=logs))
        deadline_s, limit = self.wire.timeouts.status_s, self.wire.limits.status
        reply = await self.wire.get_small(call, deadline_s=deadline_s, limit=limit)
        return await _parsed(read_status, reply)

    async def follow_status(
        self, urls: RequestUrls, *, logs: bool = True
    ) -> AsyncGenerator[StatusReport]:
        """Yield status reports as fal sends them, up to COMPLETED or fal's end of the stream.

        Logs may repeat from one report to the next (UNCONFIRMED): append without duplicates. Use
        ``aclosing`` when leaving early. Raises NotSent, Refused or Unanswered (all but Refused may
        be retried).
        """
        call = Call(
            "GET", status_stream_url(urls), {}, params=_log_params(logs=logs),
            accept=EVENT_STREAM, idle_s=self.wire.timeouts.status_idle_s,
        )  # fmt: skip
        async with events_of(self.wire, call) as opened:
            async for events in opened.batches:
                for event in events:
                    if event.is_cut:  # the stream just ended; the next poll tells the status
                        return
                    report = status_of(event)
                    yield report
                    if report.is_completed:
                        return

    async def result(self, urls: RequestUrls) -> Result:
        """Fetch once. A model's own error is a Result. Raises NotSent, Unanswered (NotTheResult
        when the answer is not a result), Refused or NotFinished.
        """
        call = Call("GET", urls.result, {}, accept="*/*")
        deadline_s, limit = self.wire.timeouts.result_s, self.wire.limits.result
        reply = await self.wire.exchange(call, deadline_s=deadline_s, limit=limit)
        return await _parsed(read_queue_result, reply)

    async def cancel(self, urls: RequestUrls) -> CancelAnswer:
        """Ask fal to cancel. Raises NotSent, Unanswered (may be retried) or Refused."""
        call = Call("PUT", urls.cancel, {})
        deadline_s, limit = self.wire.timeouts.cancel_s, self.wire.limits.reply
        return read_cancel(await self.wire.exchange(call, deadline_s=deadline_s, limit=limit))

    async def finished(self, window: finished.Window) -> AsyncIterator[finished.Listed]:
        """Yield every listed request of the window, with one GET per page.

        Raises NotSent, Unanswered (also when there are more than `MOST_PAGES`) or Refused.
        """
        size, cursor = finished.PAGE, None
        deadline_s, limit = self.wire.timeouts.listing_s, self.wire.limits.listing
        for _ in range(finished.MOST_PAGES):
            params = finished.page_params(window, size, cursor)
            call = Call("GET", self.hosts.api + finished.PATH, {}, params=params)
            try:
                reply = await self.wire.exchange(
                    call, deadline_s=deadline_s, limit=limit, held=limit
                )
                page = await _parsed(finished.read_page, reply)
            except TooLarge:
                if size == finished.SMALL_PAGE:
                    raise
                size = finished.SMALL_PAGE
                continue
            for entry in page.entries:
                yield entry
            cursor = page.next_cursor
            if cursor is None:
                return
        raise Unanswered("fal's list of finished requests is too long to be read to its end")

    async def delete_payloads(
        self, request_id: str, *, once: str
    ) -> payload_deletion.DeletedPayloads:
        """Have fal delete input, output and the output's files. ``once``: the same for each retry.

        Raises NotSent, Unanswered (may be retried) or Refused.
        """
        url = self.hosts.api + payload_deletion.path_of(request_id)
        call = Call("DELETE", url, {payload_deletion.ONCE: once})
        deadline_s, limit = self.wire.timeouts.deletion_s, self.wire.limits.listing
        reply = await self.wire.exchange(call, deadline_s=deadline_s, limit=limit)
        return payload_deletion.read_deletion(reply)

    # --- direct calls

    async def run(
        self, endpoint: EndpointId, body: bytes, headers: Mapping[str, str], *, timeout_s: float
    ) -> Result:
        """POST the model input once and wait ``timeout_s`` for the output; errors as ``result``,
        none retryable.

        Hanging up cancels the work, and what ran may still be charged.
        """
        call = Call("POST", run_url(self.hosts, endpoint), headers, body, accept="*/*")
        limit = self.wire.limits.result
        return read_run_result(await self.wire.exchange(call, deadline_s=timeout_s, limit=limit))

    @asynccontextmanager
    async def stream(
        self,
        endpoint: EndpointId,
        body: bytes,
        headers: Mapping[str, str],
        *,
        path: str = "/stream",
    ) -> AsyncIterator[Stream]:
        """POST once and read events as they come. Raises NotSent, Refused or Unanswered before the
        first event.

        A 2xx reply in JSON instead of a stream gives exactly one event, the whole text: some models
        answer a short call at once. Any other is NotAStream, which holds the whole of it, at most
        ``limits.result`` bytes. Leaving the context hangs up, and fal then cancels the work.
        """
        url, idle_s = stream_url(self.hosts, endpoint, path), self.wire.timeouts.stream_idle_s
        call = Call("POST", url, headers, body, accept=EVENT_STREAM, idle_s=idle_s)
        async with events_of(self.wire, call) as opened:
            yield opened


def _log_params(*, logs: bool) -> dict[str, str]:
    return {"logs": "1" if logs else "0"}


async def _parsed(read: Callable[[Reply], T], reply: Reply) -> T:
    """Parse in a thread what would block the loop."""
    if len(reply.body) < QUICKLY_READ:
        return read(reply)
    return await asyncio.to_thread(read, reply)
