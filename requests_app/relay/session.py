"""One session: two tasks, up and down; the first to end ends the other.

Reading from fal waits for the disk (`Recorder.room`) and never for a browser. What fal does not
take at once waits in a short queue, so that a fast sender is held back by TCP, not cut off.
Messages are decoded for the record after they have been passed on.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from django.db import DatabaseError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import (
    FalError,
    Incoming,
    Outgoing,
    Pairing,
    RealtimeConnection,
    Unanswered,
    decode_message,
)
from requests_app.models import Direction, Source
from requests_app.record.recorder import Recorder
from requests_app.relay import outcome, upstream
from requests_app.relay.outbox import Outbox
from requests_app.relay.outcome import SessionOutcome
from requests_app.relay.upstream import OwnCredential
from requests_app.worker.leases import held_here, renew_until_stopped
from requests_app.worker.loop import pool

UP_QUEUE = 32  # messages of the tab that wait for fal

logger = logging.getLogger(__name__)


class NotOpen(Exception):
    """A message came before the session was open, or after its end."""


class RealtimeSession:
    """A leased row of mode realtime, its connection to fal or an own app, and its tab. `run` it once.

    `own`: what a program shows fal itself, in place of a key of this server's.
    """

    def __init__(
        self, attempt: lifecycle.Attempt, outbox: Outbox, own: OwnCredential | None = None
    ) -> None:
        self.attempt, self._own = attempt, own
        self.outbox = outbox
        self._recorder = Recorder(attempt.pk, pool.in_database, passes_on=True)
        self._up: asyncio.Queue[tuple[Outgoing, int | None]] = asyncio.Queue(UP_QUEUE)
        self._left: asyncio.Future[SessionOutcome] = asyncio.get_running_loop().create_future()
        self._pairs = _Pairs()
        self._connection: RealtimeConnection | None = None  # while it is open
        self._cap_is_told = False

    async def send(self, message: Outgoing, ref: int | None = None) -> None:
        """Send a message to fal; waits while fal takes none. Raises NotOpen."""
        if self._connection is None:
            raise NotOpen
        at_s = asyncio.get_running_loop().time()
        # A message out of the queue is in the connection's buffer, so no message overtakes
        # another.
        if self._up.empty() and self._connection.send_now(message):
            self._sent(message, ref, at_s)
        else:
            await self._up.put((message, ref))

    def disconnect(self, sentence: str) -> None:
        """End the session within a moment, because the user leaves."""
        if not self._left.done():
            self._left.set_result(outcome.disconnected(sentence))

    async def run(self) -> SessionOutcome:
        """Run the session to its end and store and tell that end, whatever it is."""
        try:
            with held_here(self.attempt.pk):
                end = await self._recorded()
            self.outbox.finish(end.message())
            return end
        finally:
            self.outbox.close()

    async def _recorded(self) -> SessionOutcome:
        try:
            end = await self._held()
        except Exception:
            logger.exception("Session %s broke off.", self.attempt.pk)
            end = outcome.broken()
        finally:  # also when this process ends: what was received is on disk
            self._connection = None
            await self._recorder.close()
        await self._tell_row(end)
        return end

    async def _tell_row(self, end: SessionOutcome) -> None:
        try:
            await pool.in_database_with_retry(
                lifecycle.observe,
                self.attempt.pk,
                end.news,
                source=Source.STREAM,
                asked_at=timezone.now(),
            )
        except DatabaseError:  # the lease expires, and the sweep ends the row
            logger.exception("The end of session %s could not be stored.", self.attempt.pk)

    async def _held(self) -> SessionOutcome:
        opening = asyncio.create_task(self._connected())
        renewal = asyncio.create_task(renew_until_stopped(self.attempt))
        first_of: set[asyncio.Future[Any]] = {opening, renewal, self._left}
        try:
            await asyncio.wait(first_of, return_when=asyncio.FIRST_COMPLETED)
        finally:
            renewal.cancel()
            opening.cancel()
            await asyncio.gather(opening, renewal, return_exceptions=True)
        if not opening.cancelled():
            return opening.result()
        if self._left.done():
            end = self._left.result()
            return end if self._connection else outcome.before_it_stood(end)
        return outcome.stopped() if renewal.result() else outcome.not_ours()

    async def _connected(self) -> SessionOutcome:
        try:
            async with upstream.opened(self.attempt, self._own) as connection:
                return await self._relayed(connection)
        except FalError as error:
            return outcome.of_error(error)

    async def _relayed(self, connection: RealtimeConnection) -> SessionOutcome:
        opened = asyncio.create_task(
            pool.in_database_with_retry(
                lifecycle.note_opened, self.attempt.pk, None, now=timezone.now()
            )
        )
        self._connection = connection
        self.outbox.put({"type": "open"})
        up = asyncio.create_task(self._relay_up(connection))
        down = asyncio.create_task(self._relay_down(connection))
        try:
            await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
            await down  # also when sending failed: fal's last words tell how the session ended
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            await opened
        return _end_of(connection, None if up.cancelled() else up.exception())

    # --- up ---------------------------------------------------------------------------------------

    async def _relay_up(self, connection: RealtimeConnection) -> None:
        while True:
            message, ref = await self._up.get()
            at_s = asyncio.get_running_loop().time()
            await connection.send(message)
            self._sent(message, ref, at_s)

    def _sent(self, message: Outgoing, ref: int | None, at_s: float) -> None:
        shown = decode_message(message.data)
        frame = self._record(shown, Direction.OUT)
        self._pairs.sent(shown, frame.number, at_s)
        if ref is not None:
            self.outbox.put({"type": "sent", "ref": ref, "number": frame.number})
        self._show(frame)

    # --- down -------------------------------------------------------------------------------------

    async def _relay_down(self, connection: RealtimeConnection) -> None:
        async for message in connection:
            at_s = asyncio.get_running_loop().time()
            if self.outbox.is_raw and isinstance(message.raw, bytes):
                self.outbox.raw(message.raw)
                await self.outbox.room()
            self._show(self._record(message, Direction.IN, **self._pairs.received(message, at_s)))
            await self._recorder.room()

    def _record(self, message: Incoming, direction: str, **pair: Any) -> Any:
        frame = self._recorder.add(
            message.text,
            message.size,
            direction=direction,
            kind=message.kind,
            raw=message.raw if isinstance(message.raw, bytes) else None,
            **pair,
        )
        full = self._recorder.full
        if full and not self._cap_is_told:
            self._cap_is_told = True
            self.outbox.record_end = full.frame
            self.outbox.put({"type": "capped", "message": full.note, "frame": full.frame})
        return frame

    def _show(self, frame: Any) -> None:
        """Show a frame to the tab; a program has its binary messages already."""
        if not (self.outbox.is_raw and frame.raw is not None):
            self.outbox.frame(frame)


def _end_of(connection: RealtimeConnection, failure: BaseException | None) -> SessionOutcome:
    """Return how it ended, given the exception that stopped the sending, if any."""
    how = connection.ending
    if how is None or not isinstance(failure, FalError | None):
        raise RuntimeError("A session ended without an ending.") from failure
    if isinstance(failure, Unanswered) and how.kind == "lost":
        return outcome.of_error(failure)
    return outcome.of_ending(how)


class _Pairs:
    """Which frame answers which; an endpoint that answers more than it was asked is not unary."""

    def __init__(self) -> None:
        self._pairing = Pairing(unary=True)
        self._open = 0  # inputs without an output, as long as it is unary
        self._is_unary = True

    def sent(self, message: Incoming, frame: int, at_s: float) -> None:
        """Note that a message went out as this frame."""
        self._open += 1
        self._pairing.sent(frame, message.request_id, at_s)

    def received(self, message: Incoming, at_s: float) -> dict[str, Any]:
        """Return `pair` and `rtt_ms` of an incoming message when they are certain."""
        if message.control is not None:
            return {}
        self._open -= 1
        if self._open < 0 and self._is_unary:
            self._pairing, self._is_unary = Pairing(unary=False), False
        pair = self._pairing.received(message.request_id, at_s)
        if pair is None:
            return {}
        return {"pair": pair.number, "rtt_ms": round(pair.round_trip_s * 1000, 3)}
