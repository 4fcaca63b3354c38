"""Record an open stream or session: on disk within moments, off the path that reads it.

Readers in this process get each frame at once by the live feed; all others read the database. A
cap of frames or bytes ends the record, not the call.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import StreamEvent
from requests_app.models import Direction
from requests_app.record import storage
from requests_app.record.bulk_insert import EVENT, EVENT_ID
from requests_app.record.frame import NewFrame, memory_of
from requests_app.record.live_feed import feed
from requests_app.rules.storable import storable_text
from requests_app.upkeep.metrics import RELAYED

FLUSH_EVERY_S = 0.05  # shared by all recorders of this process
FLUSH_MOST_S = 1.0
FLUSH_SHARE = 10  # with many sessions, writing takes a tenth of the time, not all of it
FLUSH_AT = 1000  # frames per write
RETRY_EVERY_S = 1.0
CLOSE_S = 60.0  # how long the end of a call waits for the database
# backpressure: with more bytes not yet on disk, reading from fal pauses
MOST_WAITING = 8 * 1024 * 1024

logger = logging.getLogger(__name__)

DatabaseCall = Callable[..., Awaitable[Any]]

_RELAYED = {
    way: RELAYED.labels(way) for way in Direction.values
}  # looking one up costs more than using it


@dataclass(frozen=True)
class Caps:
    """The limits of one record; `bytes` are counted on the wire."""

    frames: int
    bytes: int

    @classmethod
    def from_settings(cls) -> Caps:
        return cls(settings.RECORD_FRAMES, settings.RECORD_BYTES)


@dataclass(frozen=True)
class Full:
    """When a record became full: after which frame, and how long after the start.

    `is_passed_on`: later frames still reach a reader in another way, as in a session.
    """

    frame: int
    bytes: int
    offset_ms: float
    is_passed_on: bool = False

    @property
    def note(self) -> str:
        """Return the sentence for the timeline, the page and the API."""
        size = f"{self.bytes / 1e6:.1f} MB" if self.bytes >= 1e6 else f"{self.bytes / 1e3:.1f} kB"
        kept = f"frames 1 to {self.frame}, {size}" if self.frame else "nothing"
        after = f"The record became full after {self.offset_ms / 1000:.1f} s: it holds {kept}."
        if self.is_passed_on:
            return f"{after} What comes later is passed on and not kept."
        return f"{after} The stream is read to its end; what comes later is neither kept nor shown."

    def note_of(self, count: int) -> str:
        """Return the timeline's sentence at the end, with the total count of frames."""
        held = f"the first {self.frame:,}" if self.frame else "none of them"
        return f"There were {count:,} frames in all; the record holds {held}."


_collecting: set[Recorder] = set()  # recorders with unwritten frames


class Recorder:
    """Writes frames in batches; a short outage of the database loses none.

    `database` runs a blocking function off the loop and finishes it even if its caller is
    cancelled. `count` is the number of the newest frame, recorded or not; `kept` the newest
    recorded one. `passes_on`: the frames also reach a reader in another way.
    """

    def __init__(
        self, pk: int, database: DatabaseCall, caps: Caps | None = None, *, passes_on: bool = False
    ) -> None:
        self.pk = pk
        self.passes_on = passes_on
        self.count = self.kept = 0
        self.is_capped = False
        self.full: Full | None = None
        self.caps = caps or Caps.from_settings()
        self._database = database
        self._bytes = 0
        self._began = time.monotonic()
        self._waiting: list[NewFrame] = []
        self._waiting_bytes = 0
        self._closing = self._cap_is_told = self._count_is_told = False
        self._more = asyncio.Event()
        self._hurry = asyncio.Event()  # set at the end, or by a full batch
        self._room = asyncio.Event()
        self._room.set()
        self._writer = asyncio.create_task(self._write())

    async def room(self) -> None:
        """Wait while too much is not on disk yet (backpressure); call it before reading on."""
        await self._room.wait()

    def add(self, data: str, size: int, **details: Any) -> NewFrame:
        """Number and record one frame; `details` are NewFrame's other fields."""
        frame = NewFrame(self.count + 1, self._offset_ms(), storable_text(data), size, **details)
        self._take([frame], size, frame.memory)
        return frame

    def add_events(self, events: Sequence[StreamEvent], said: Sequence[str]) -> None:
        """Number and record events that arrived together, with what each of them says."""
        offset_ms = self._offset_ms()
        batch = [
            NewFrame(
                number, offset_ms, storable_text(event.data), event.raw_size,
                storable_text(event.name, EVENT), storable_text(event.event_id or "", EVENT_ID),
                says=says,
            )
            for number, (event, says) in enumerate(zip(events, said, strict=True), self.count + 1)
        ]  # fmt: skip
        self._take(batch, sum([event.raw_size for event in events]), memory_of(batch))

    def _offset_ms(self) -> float:
        return (time.monotonic() - self._began) * 1000

    def _take(self, batch: list[NewFrame], size: int, memory: int) -> None:
        """Count and record frames of one direction; `size` is their bytes on the wire, `memory`
        here.
        """
        _RELAYED[batch[0].direction].inc(size)
        self.count += len(batch)
        self._bytes += size
        if not self.is_capped:
            if self.count > self.caps.frames or self._bytes > self.caps.bytes:
                batch = self._fill(batch, self._bytes - size)
                memory = memory_of(batch)
            if batch:
                self._keep(batch, memory)

    def _fill(self, batch: list[NewFrame], held: int) -> list[NewFrame]:
        """Return the frames that still fit into a record of `held` bytes, which is full from now
        on.
        """
        fitting: list[NewFrame] = []
        for frame in batch:
            if frame.number > self.caps.frames or held + frame.size > self.caps.bytes:
                self.full = Full(frame.number - 1, held, frame.offset_ms, self.passes_on)
                break
            fitting.append(frame)
            held += frame.size
        self.is_capped = True
        self._more.set()
        return fitting

    def _keep(self, batch: list[NewFrame], memory: int) -> None:
        self.kept = batch[-1].number
        self._waiting += batch
        self._waiting_bytes += memory
        if self._waiting_bytes > MOST_WAITING:
            self._room.clear()
            self._hurry.set()
        self._more.set()
        feed.publish(self.pk, batch)

    async def _write(self) -> None:
        took_s = 0.0
        try:
            while self._is_due or not self._closing:
                await self._more.wait()
                if len(self._waiting) < FLUSH_AT and not self._closing:
                    await self._collect(took_s)
                began = time.monotonic()
                await self._surely_store()
                took_s = time.monotonic() - began
                self._look_what_is_left()
        except Exception:
            logger.exception("The record of request %s is broken off.", self.pk)
        finally:  # after any error, neither hold up the call for ever nor fill the memory
            self.is_capped = True
            self._room.set()

    @property
    def _is_due(self) -> bool:
        """Whether frames, or the note that the record is full, still have to be written."""
        is_told = self._count_is_told if self._closing else self._cap_is_told
        return bool(self._waiting or (self.full and not is_told))

    async def _collect(self, took_s: float) -> None:
        """Wait for a batch to fill, longer on a busy disk; the end does not wait."""
        _collecting.add(self)
        pause_s = max(FLUSH_EVERY_S * len(_collecting), FLUSH_SHARE * took_s)
        try:
            async with asyncio.timeout(min(pause_s, FLUSH_MOST_S)):
                await self._hurry.wait()
        except TimeoutError:
            pass
        finally:
            _collecting.discard(self)

    async def _surely_store(self) -> None:
        while self._is_due:
            try:
                await self._store()
                break
            except DatabaseError:
                logger.warning("Frames of request %s wait.", self.pk, exc_info=True)
                await asyncio.sleep(RETRY_EVERY_S)

    def _look_what_is_left(self) -> None:
        """Collect what came during a write as a new batch; else each write would hold a few frames
        only.
        """
        if self._closing:
            return
        if not self._is_due:
            self._more.clear()
        if self._waiting_bytes <= MOST_WAITING:
            self._hurry.clear()
            self._room.set()

    async def _store(self) -> None:
        """Write one batch, or after the last one the note that the record is full."""
        batch = self._waiting[:FLUSH_AT]
        if self.full and not batch:
            await self._tell(self.full)
            return
        await self._database(storage.append, self.pk, batch)
        del self._waiting[: len(batch)]
        self._waiting_bytes -= memory_of(batch)

    async def _tell(self, full: Full) -> None:
        """Note at once that the record is full, and at the end how many frames there were."""
        now = timezone.now()
        if not self._cap_is_told:
            await self._database(
                lifecycle.note_record_full, self.pk, full.note, now=now, data=asdict(full)
            )
            self._cap_is_told = True
            return
        note, data = full.note_of(self.count), {"count": self.count}
        await self._database(lifecycle.note_frame_count, self.pk, note, now=now, data=data)
        self._count_is_told = True

    async def close(self) -> None:
        """Write what is left, for a minute at most."""
        self._closing = True
        self._more.set()
        self._hurry.set()
        try:
            async with asyncio.timeout(CLOSE_S):
                await asyncio.shield(self._writer)
        except TimeoutError:
            logger.error("The last %s frames of request %s are lost.", len(self._waiting), self.pk)
        finally:
            self._writer.cancel()
