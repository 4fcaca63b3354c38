"""Feed batches: every second, and at once while their requests end quickly."""

from __future__ import annotations

import asyncio
import logging

from django.utils import timezone

from requests_app.batches import feeding
from requests_app.worker import faults
from requests_app.worker.loop import pool

ROUNDS = 4  # of one call, while there is something to do
PAUSE_S = 0.2

logger = logging.getLogger(__name__)
_under_way: set[str] = set()  # a mark while a call runs; used only on the worker loop's thread


async def feed() -> None:
    """Give every due batch a turn. A call while another one runs does nothing."""
    if _under_way:
        return
    _under_way.add("feed")
    try:
        for held in await pool.in_database(feeding.take_due, timezone.now()):
            await _feed(held)
    except faults.DATABASE_AWAY as error:
        faults.tell(logger, "The batches wait for the database", error)
    finally:
        _under_way.clear()


async def _feed(held: feeding.Held) -> None:
    try:
        for _ in range(ROUNDS):
            if not await _round(held.pk):
                break
            await asyncio.sleep(PAUSE_S)
    except faults.DATABASE_AWAY:
        raise
    except Exception:  # one batch's trouble is not another's
        logger.exception("A turn of batch %s failed.", held.pk)
    finally:
        await pool.in_database(feeding.give_back, held, timezone.now())


async def _round(pk: int) -> int:
    done = await pool.in_database(feeding.settle, pk, timezone.now())
    while made := await pool.in_database(feeding.refill, pk, timezone.now()):
        done += made
    return done
