"""Keeping a row ours while a call for it lasts, so that a dead process's rows are free soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DatabaseError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import NotSent
from requests_app.worker.loop import watch_loop

HOLD_EVERY_S = 1.0

logger = logging.getLogger(__name__)
_held: set[int] = set()  # rows whose call is open in this process


def is_held(pk: int) -> bool:
    """Whether this process is at the call, whatever the lease in the database says."""
    return pk in _held


@contextmanager
def holding(pk: int) -> Iterator[None]:
    """This process is at the call while the block lasts."""
    _held.add(pk)
    try:
        yield
    finally:
        _held.discard(pk)


def check_ours(claim: lifecycle.Claim) -> None:
    """Raises NotSent when the lease has run out: call it right before the bytes leave.

    A process that was stopped since its claim (SIGSTOP, a sleeping machine) must not send what others
    have given up meanwhile. Stopped between this check and the bytes it is still the row's one sender.
    """
    if timezone.now() >= claim.until:
        raise NotSent("this program stood still for too long before it could send.")


async def keep(claim: lifecycle.Claim) -> bool:
    """Renew the lease until a person wants the call stopped (True), or the row is not ours (False)."""
    while (is_stop_wanted := await _renewed(claim.pk, claim.lease)) is False:
        pass
    return is_stop_wanted is True


@asynccontextmanager
async def kept(pk: int, lease: UUID) -> AsyncIterator[None]:
    """Renew the lease while the block lasts, whatever a person wants: what is sent is sent."""
    renewing = asyncio.create_task(_renew(pk, lease))
    try:
        with holding(pk):
            yield
    finally:
        renewing.cancel()
        await asyncio.gather(renewing, return_exceptions=True)


async def _renew(pk: int, lease: UUID) -> None:
    while await _renewed(pk, lease) is not None:
        pass


async def _renewed(pk: int, lease: UUID) -> bool | None:
    """A moment later: does a person want a stop? None when the row is not ours any more."""
    loop = asyncio.get_running_loop()
    turn = _next.get(loop) or _Turn(loop)
    turn.rows[lease] = pk
    return (await asyncio.shield(turn.held)).get(lease)


class _Turn:
    """The next renewal on one loop: one for all its rows, however many they are.

    Callbacks and no task: nobody would end it when the loop ends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.rows: dict[UUID, int] = {}
        self.held: asyncio.Future[dict[UUID, bool]] = loop.create_future()
        _next[loop] = self
        loop.call_later(HOLD_EVERY_S, self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        del _next[loop]
        asked = watch_loop.hand_over(lifecycle.hold, self.rows, now=timezone.now())
        asked.add_done_callback(self._answer)

    def _answer(self, asked: asyncio.Future[dict[UUID, bool]]) -> None:
        error = asked.exception()
        if isinstance(error, DatabaseError):  # no reason to let go of paid work
            logger.warning("The leases of %s requests wait for the database.", len(self.rows))
            self.held.set_result(dict.fromkeys(self.rows, False))
        elif error:
            self.held.set_exception(error)
        else:
            self.held.set_result(asked.result())


_next: WeakKeyDictionary[asyncio.AbstractEventLoop, _Turn] = WeakKeyDictionary()
