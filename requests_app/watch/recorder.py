"""The record of an open stream: its events on disk within moments, off the reading path."""

from __future__ import annotations

import asyncio
import logging
import time

from django.db import DatabaseError

from requests_app import frames
from requests_app.fal.streams import StreamEvent
from requests_app.watch.loop import watch_loop

FLUSH_EVERY_S = 0.05
FLUSH_AT = 200  # frames
RETRY_EVERY_S = 1.0
CLOSE_S = 60.0  # how long the end of a stream waits for the database
MOST_WAITING = 32 * 1024 * 1024  # bytes not on disk yet; then the stream is read no further

logger = logging.getLogger(__name__)


class Recorder:
    """Writes a stream's events in batches; a database that is away for a moment loses none."""

    def __init__(self, pk: int) -> None:
        self.pk = pk
        self.count = 0
        self.last: str | None = None
        self._began = time.monotonic()
        self._waiting: list[frames.NewFrame] = []
        self._bytes = 0
        self._closing = False
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._writer = asyncio.create_task(self._write())

    async def add(self, event: StreamEvent) -> None:
        """Take one event; wait first while too much is not on disk yet."""
        await self._room.wait()
        self.count += 1
        self.last = event.data
        offset_ms = (time.monotonic() - self._began) * 1000
        frame = frames.NewFrame(
            self.count, offset_ms, event.data, event.raw_size,
            event=event.name, event_id=event.event_id or "",
        )  # fmt: skip
        self._waiting.append(frame)
        self._bytes += event.raw_size
        if self._bytes > MOST_WAITING:
            self._room.clear()
        self._more.set()

    async def _write(self) -> None:
        try:
            while self._waiting or not self._closing:
                await self._more.wait()
                if len(self._waiting) < FLUSH_AT and not self._closing:
                    await asyncio.sleep(FLUSH_EVERY_S)
                self._more.clear()
                while self._waiting:
                    await self._flush()
        finally:
            self._room.set()  # whatever went wrong here, the stream is not held up for ever

    async def _flush(self) -> None:
        batch = self._waiting[:FLUSH_AT]
        try:
            await watch_loop.database(frames.append, self.pk, batch)
        except DatabaseError:
            logger.warning("Frames of request %s wait for the database.", self.pk, exc_info=True)
            await asyncio.sleep(RETRY_EVERY_S)
            return
        del self._waiting[: len(batch)]
        self._bytes -= sum(frame.size for frame in batch)
        if self._bytes <= MOST_WAITING:
            self._room.set()

    async def close(self) -> None:
        """Write what is left, for a minute at most."""
        self._closing = True
        self._more.set()
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.shield(self._writer)
        except TimeoutError:
            logger.error("The last %s frames of request %s are lost.", len(self._waiting), self.pk)
        finally:
            self._writer.cancel()
