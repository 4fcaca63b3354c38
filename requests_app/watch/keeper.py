"""Keeping a direct call's row ours while the call lasts: stream, run and realtime session alike."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError
from django.utils import timezone

from requests_app import lifecycle
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


async def keep(claim: lifecycle.Claim) -> bool:
    """Renew the lease until a person wants the call stopped (True), or the row is not ours (False).

    A database that is away is no reason to hang up on paid work.
    """
    while True:
        await asyncio.sleep(HOLD_EVERY_S)
        try:
            held = await watch_loop.database(
                lifecycle.hold, claim.pk, claim.lease, now=timezone.now()
            )
        except DatabaseError:
            logger.warning("The lease of request %s waits for the database.", claim.pk)
            continue
        if not held.ours or held.cancel:
            return held.ours
