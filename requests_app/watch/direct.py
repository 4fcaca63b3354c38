"""Run and stream: the call lasts as long as the work, so this process holds it and records it.

Hanging up cancels the work at fal. So nothing but a person's cancel, the time limit or the end of
the process closes the call; tabs only read the record.
"""

from __future__ import annotations

import asyncio
import time

from django.conf import settings
from django.utils import timezone

from requests_app import frames, lifecycle
from requests_app.fal import (
    EndpointId,
    FalError,
    NotSent,
    Refused,
    Result,
    build_headers,
)
from requests_app.fal.streams import StreamEvent
from requests_app.models import Mode, Source, Status
from requests_app.transitions import Ended, News, judge_stream
from requests_app.watch.loop import watch_loop

HOLD_EVERY_S = 1.0
FLUSH_EVERY_S = 0.05
FLUSH_AT = 200  # frames


async def call(claim: lifecycle.Claim) -> None:
    """Make the call once, hold it to its end, store how it ended."""
    work = asyncio.create_task(_made(claim))
    keeper = asyncio.create_task(_kept(claim))
    await asyncio.wait({work, keeper}, return_when=asyncio.FIRST_COMPLETED)
    for task in (keeper, work):
        task.cancel()
    await asyncio.gather(keeper, work, return_exceptions=True)
    if keeper.cancelled() or keeper.exception():
        work.cancelled() or work.result()  # an unexpected failure belongs in the log
        return
    await _ended(claim, keeper.result())


async def _kept(claim: lifecycle.Claim) -> Ended:
    """Renew the lease until a person wants the call stopped; that ends it."""
    while True:
        await asyncio.sleep(HOLD_EVERY_S)
        held = await watch_loop.database(lifecycle.hold, claim.pk, claim.lease, now=timezone.now())
        if held.cancel:
            sentence = "We hung up as asked; fal cancels a direct call when the caller leaves."
            return Ended(Status.CANCELLED, "", sentence)


async def _made(claim: lifecycle.Claim) -> None:
    make = _run if claim.mode == Mode.RUN else _stream
    try:
        await make(claim)
    except NotSent as error:
        await watch_loop.database(lifecycle.not_sent, claim.pk, error, now=timezone.now())
    except Refused as error:
        await watch_loop.database(lifecycle.refused, claim.pk, error, now=timezone.now())
    except (FalError, TimeoutError) as error:
        reason = str(error) or f"no end within {settings.STREAM_TIMEOUT_S} s"
        sentence = f"The call broke off: {reason} Work done until then may be billed."
        await _ended(claim, Ended(Status.FAILED, "interrupted", sentence))


async def _run(claim: lifecycle.Claim) -> None:
    await watch_loop.database(lifecycle.opened, claim.pk, None, now=timezone.now())
    result = await watch_loop.client().run(
        EndpointId.parse(claim.endpoint_id),
        claim.body,
        build_headers(claim.options),
        timeout_s=settings.RUN_TIMEOUT_S,
    )
    await _ended(claim, result)


async def _stream(claim: lifecycle.Claim) -> None:
    recorder = Recorder(claim.pk)
    opening = watch_loop.client().stream(
        EndpointId.parse(claim.endpoint_id), claim.body, build_headers(claim.options)
    )
    async with asyncio.timeout(settings.STREAM_TIMEOUT_S):
        async with opening as stream:
            await watch_loop.database(
                lifecycle.opened, claim.pk, stream.request_id, now=timezone.now()
            )
            try:
                async for event in stream.events:
                    recorder.add(event)
            finally:
                await recorder.close()
    await _ended(claim, judge_stream(recorder.count, recorder.last))


async def _ended(claim: lifecycle.Claim, news: Result | Ended) -> None:
    heard: News = news
    await watch_loop.database(
        lifecycle.observe, claim.pk, heard, source=Source.STREAM, asked_at=timezone.now()
    )


class Recorder:
    """Writes a stream's events in batches, off the reading path."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.count = 0
        self.last: str | None = None
        self._began = time.monotonic()
        self._waiting: list[frames.Heard] = []
        self._more = asyncio.Event()
        self._writer = asyncio.create_task(self._write())

    def add(self, event: StreamEvent) -> None:
        """Take one event; it is on disk within a tenth of a second."""
        self.count += 1
        self.last = event.data
        offset_ms = (time.monotonic() - self._began) * 1000
        self._waiting.append(frames.Heard(self.count, offset_ms, event))
        self._more.set()

    async def _write(self) -> None:
        while True:
            await self._more.wait()
            if len(self._waiting) < FLUSH_AT:
                await asyncio.sleep(FLUSH_EVERY_S)
            self._more.clear()
            await self._flush()

    async def _flush(self) -> None:
        batch, self._waiting = self._waiting, []
        if batch:
            await watch_loop.database(frames.append, self.pk, batch)

    async def close(self) -> None:
        """Write what is left."""
        self._writer.cancel()
        await asyncio.gather(self._writer, return_exceptions=True)
        await self._flush()
