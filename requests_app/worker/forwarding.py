"""Send what is to be forwarded: in the worker, outside of transactions, a few attempts at once.

One destination never has all the places, and one that fails has a single one, so that it delays no other.
"""

from __future__ import annotations

import logging
from collections import Counter

from django.utils import timezone

from requests_app.forwarding import making, outbox
from requests_app.forwarding.outbox import ForwardAnswer, TakenForward
from requests_app.forwarding.sending import send
from requests_app.worker import faults
from requests_app.worker.loop import pool, worker_loop

AT_ONCE = 8  # attempts

logger = logging.getLogger(__name__)


class Forwarder:
    """Used only on the worker loop's thread."""

    def __init__(self) -> None:
        self._is_looking = self._is_taking = self._wants_more = False
        self._running: Counter[int] = Counter()  # attempts, by destination

    async def run(self) -> None:
        """Look for what has ended, and begin to send what is due. A call during a look does nothing."""
        if self._is_looking:
            return
        self._is_looking = True
        try:
            await pool.in_database(making.look, timezone.now())
            await pool.in_database(outbox.remove_old, timezone.now())
            await self._begin()
        except faults.DATABASE_AWAY as error:
            faults.tell(logger, "Forwarding waits for the database", error)
        finally:
            self._is_looking = False

    async def _begin(self) -> None:
        """Begin attempts while there is room; the end of each calls this again."""
        self._wants_more = True
        if self._is_taking:
            return
        self._is_taking = True
        try:
            while self._wants_more and (free := AT_ONCE - self._running.total()) > 0:
                running = dict(self._running)
                self._wants_more = False
                due = await pool.in_database(outbox.take_due, timezone.now(), free, running=running)
                for taken in due:
                    self._running[taken.destination] += 1
                    worker_loop.start(self._attempt(taken))
                self._wants_more |= bool(due)
        finally:
            self._is_taking = False

    async def _attempt(self, taken: TakenForward) -> None:
        """Try once, store what came of it, and begin what is due next."""
        try:
            try:
                answer = await _answer(taken)
                await pool.in_database(outbox.keep, taken, answer, timezone.now())
            finally:
                self._running[taken.destination] -= 1
            await self._begin()
        except faults.DATABASE_AWAY as error:  # an attempt that is not stored: its lease ends
            faults.tell(logger, "Forwarding waits for the database", error)


forwarder = Forwarder()


async def _answer(taken: TakenForward) -> ForwardAnswer:
    """Try once. What goes wrong is this message's answer."""
    try:
        return await send(taken)
    except Exception as error:
        # Without the traceback: its lines may hold the address.
        logger.error("A message could not be forwarded: %s.", type(error).__name__)
        return ForwardAnswer(0, words=f"It failed here: {type(error).__name__}.")
