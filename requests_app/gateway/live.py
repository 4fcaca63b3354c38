"""A direct call while it lasts: its row in the list, and the events of a stream as they come.

Best effort: where it does not succeed, the call is recorded from what was kept, when it has ended.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import Error
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal.reports import Result
from requests_app.fal.sse import EventTooLarge, SseDecoder
from requests_app.fal.transport import MESSAGE
from requests_app.gateway.entries import CallEntry, call_of, direct_id, judged
from requests_app.gateway.memory import Copy
from requests_app.gateway.recording import store
from requests_app.models import Source
from requests_app.record.recorder import Recorder
from requests_app.rules.stream_outcome import StreamOutcome
from requests_app.rules.transitions import CallEnded
from requests_app.worker.leases import held_here, renew_until_stopped

OPENED_AFTER_S = 0.5  # a shorter call is written once, when it has ended

logger = logging.getLogger(__name__)
DatabaseCall = Callable[..., Awaitable[Any]]


class LiveCall:
    """One direct call. `hang_up` ends it, when a user cancels its row; `copy` gets the pieces of a stream."""

    def __init__(
        self, entry: CallEntry, copy: Copy, database: DatabaseCall, hang_up: Callable[[], None]
    ) -> None:
        self._entry, self.copy, self._database = entry, copy, database
        self._hang_up = hang_up
        self._ended = asyncio.Event()
        self._more = asyncio.Event()
        self._opening: asyncio.Task[None] | None = None
        self._finish: Callable[[], None] = lambda: None
        self._row: asyncio.Task[lifecycle.Attempt | None] | None = None
        self.is_followed = False  # the events are recorded as they come
        self._is_stored = False  # the row has its end

    def open_later(self) -> None:
        """Show the call in the list if it lasts."""
        self._opening = asyncio.create_task(self._opened_later())

    def follow(self) -> None:
        """Show the call at once, and record its events."""
        if self._opening:
            self._opening.cancel()
        self._opening = asyncio.create_task(self._followed())

    def heard(self) -> None:
        """Note that the copy has another piece."""
        self._more.set()

    async def end(self, failure: str, sentence: str, finish: Callable[[], None]) -> bool:
        """End it; return whether all of it is recorded. `finish` completes the entry, from what was kept."""
        self._entry.failure, self._entry.sentence = failure, sentence
        self._finish = finish
        self._ended.set()
        self._more.set()
        if self._opening is None:
            return False
        try:
            await self._opening
        except asyncio.CancelledError:
            return False
        except Exception:
            logger.exception("The record of a call through the gateway broke off.")
        return self.is_followed or self._is_stored

    async def _opened_later(self) -> None:
        try:
            async with asyncio.timeout(OPENED_AFTER_S):
                await self._ended.wait()
            return
        except TimeoutError:
            pass
        if attempt := await self._open():
            await self._renewed(attempt, self._stored_at_its_end())

    async def _stored_at_its_end(self) -> None:
        """Store the end under the row's lease: behind many others it could come after the lease has run out."""
        await self._ended.wait()
        self._finish()
        await self._database(store, self._entry)
        self._is_stored = True

    async def _followed(self) -> None:
        attempt = await self._open()
        if attempt is None:
            return
        self.is_followed = True
        # The row may be older than the reply's head.
        await self._database(lifecycle.note_direct_id, attempt.pk, direct_id(self._entry))
        await self._renewed(attempt, self._recorded(attempt.pk))

    async def _open(self) -> lifecycle.Attempt | None:
        """Store the row, once; None when the database is away."""
        if self._row is None:
            self._row = asyncio.create_task(self._store())
        try:
            return await asyncio.shield(self._row)
        except Error:
            return None

    async def _store(self) -> lifecycle.Attempt | None:
        attempt: lifecycle.Attempt | None = await self._database(_stored, self._entry)
        return attempt

    async def _renewed(self, attempt: lifecycle.Attempt, work: Awaitable[Any]) -> None:
        """Do the work while the row's lease is renewed; hang up when a user cancels the row."""
        renewal = asyncio.create_task(renew_until_stopped(attempt))
        renewal.add_done_callback(self._stopped)
        with held_here(attempt.pk):
            try:
                await work
            finally:
                renewal.cancel()

    def _stopped(self, renewal: asyncio.Task[bool]) -> None:
        if not renewal.cancelled() and not renewal.exception() and renewal.result():
            self._hang_up()

    async def _recorded(self, pk: int) -> None:
        """Record the events up to the end of the call, and how it ended."""
        recorder, outcome = Recorder(pk, self._database, passes_on=True), StreamOutcome()
        decoder = SseDecoder(MESSAGE)
        try:
            while not self._ended.is_set() or self._more.is_set():
                await self._more.wait()
                self._more.clear()
                for piece in self.copy.take():
                    events = decoder.feed(piece)
                    if events:
                        recorder.add_events(events, outcome.take(events))
                await recorder.room()
            if events := decoder.close(is_broken=bool(self._entry.failure)):
                recorder.add_events(events, outcome.take(events))
        except EventTooLarge as error:
            self.copy.is_whole = False
            logger.warning("%s It is passed on; the record ends before it.", error)
            await self._ended.wait()
        finally:
            await recorder.close()
        news = self._judged(outcome)
        await self._database(
            lifecycle.observe, pk, news, source=Source.STREAM, asked_at=timezone.now()
        )

    def _judged(self, outcome: StreamOutcome) -> Result | CallEnded:
        failure, sentence = self._entry.failure, self._entry.sentence
        if not self.copy.is_whole:
            failure, sentence = "too_large", "The stream was passed on; its end is not recorded."
        return judged(outcome, failure, sentence)


def _stored(entry: CallEntry) -> lifecycle.Attempt | None:
    return lifecycle.open_passed(call_of(entry), direct_id(entry), now=timezone.now())
