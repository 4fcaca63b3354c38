"""Renew leases while calls last. Leases are short, so that a dead process's rows are free soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID
from weakref import WeakKeyDictionary

from django.db import DatabaseError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import NotSent
from requests_app.worker.loop import pool

RENEW_EVERY_S = 1.0

logger = logging.getLogger(__name__)
_held: set[int] = set()  # keys of rows whose call is open in this process


def is_held_here(pk: int) -> bool:
    """Return whether this process is making the row's call, whatever the lease in the database says."""
    return pk in _held


@contextmanager
def held_here(pk: int) -> Iterator[None]:
    """Mark the row as held by this process while the block lasts."""
    _held.add(pk)
    try:
        yield
    finally:
        _held.discard(pk)


def ensure_not_expired(attempt: lifecycle.Attempt) -> None:
    """Raise NotSent when the lease has expired. Call this right before the bytes leave.

    A process that was stopped after taking the lease (SIGSTOP, a sleeping machine) must not send a row
    that others have given up meanwhile. If it is stopped between this check and the first byte, it is
    still the row's only sender.
    """
    if timezone.now() >= attempt.until:
        raise NotSent("this program stood still for too long before it could send.")


async def renew_until_stopped(attempt: lifecycle.Attempt) -> bool:
    """Renew the lease until a user asks to cancel (True) or the lease is lost (False)."""
    while (is_stop_wanted := await _renewed(attempt.pk, attempt.lease)) is False:
        pass
    return is_stop_wanted is True


@contextmanager
def renewing(pk: int, lease: UUID) -> Iterator[None]:
    """Renew the lease while the block lasts, also after a cancel: a request on its way cannot be recalled."""
    loop = asyncio.get_running_loop()
    kept = _kept.setdefault(loop, {})
    kept[pk, lease] = loop.time()
    if loop not in _next:
        _Renewal(loop)
    try:
        with held_here(pk):
            yield
    finally:
        kept.pop((pk, lease), None)


async def _renewed(pk: int, lease: UUID) -> bool | None:
    """Wait for the next renewal; return whether a user asked to cancel, or None for a lost lease."""
    loop = asyncio.get_running_loop()
    turn = _next.get(loop) or _Renewal(loop)
    turn.held.add((pk, lease))
    return (await asyncio.shield(turn.renewed)).get((pk, lease))


class _Renewal:
    """The next renewal on one event loop: one UPDATE for all its rows.

    Made of callbacks, not a task: a task would be left pending when the loop ends.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.held: set[lifecycle.Held] = set()
        self.renewed: asyncio.Future[dict[lifecycle.Held, bool]] = loop.create_future()
        _next[loop] = self
        loop.call_later(RENEW_EVERY_S, self._begin, loop)

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        del _next[loop]
        kept, before = _kept.get(loop, {}), loop.time() - RENEW_EVERY_S
        self.held |= {held for held, since in kept.items() if since <= before}  # most are brief
        if kept:
            _Renewal(loop)
        if not self.held:
            self.renewed.set_result({})
            return
        asked = pool.submit_to_pool(lifecycle.renew_leases, self.held, now=timezone.now())
        asked.add_done_callback(self._answer)

    def _answer(self, asked: asyncio.Future[dict[lifecycle.Held, bool]]) -> None:
        error = asked.exception()
        if isinstance(error, DatabaseError):  # a database outage is no reason to close a paid call
            logger.warning(
                "The leases of %s requests could not be renewed: the database is down.",
                len(self.held),
            )
            self.renewed.set_result(dict.fromkeys(self.held, False))
        elif error:
            self.renewed.set_exception(error)
            self.renewed.exception()  # retrieved: perhaps no call waits for it
        else:
            self.renewed.set_result(asked.result())


_next: WeakKeyDictionary[asyncio.AbstractEventLoop, _Renewal] = WeakKeyDictionary()
# Rows to renew while a block lasts, and when it began.
_kept: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[lifecycle.Held, float]] = (
    WeakKeyDictionary()
)
