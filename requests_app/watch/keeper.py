"""Keeping a row ours while a call for it lasts, so that a dead process's rows are free soon."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from django.db import DatabaseError
from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import NotSent
from requests_app.watch.loop import watch_loop

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
    while True:
        held = await _renewed(claim.pk, claim.lease)
        if not held.ours or held.cancel:
            return held.ours


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
    while (await _renewed(pk, lease)).ours:
        pass


async def _renewed(pk: int, lease: UUID) -> lifecycle.Hold:
    """A moment later. A database that is away is no reason to let go of paid work."""
    while True:
        await asyncio.sleep(HOLD_EVERY_S)
        try:
            return await watch_loop.database(lifecycle.hold, pk, lease, now=timezone.now())
        except DatabaseError:
            logger.warning("The lease of request %s waits for the database.", pk)
