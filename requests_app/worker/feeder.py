"""Feed batches: every second, and at once while their requests end quickly."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from django.utils import timezone

from requests_app.batches import feeding
from requests_app.worker import faults
from requests_app.worker.loop import pool

ROUNDS = 4  # of one call, while there is something to do
PAUSE_S = 0.2
REFILLS = 10  # of one round: enough for all places, and other batches have their turns too

logger = logging.getLogger(__name__)
_under_way: set[str] = set()  # a mark while a call runs; used only on the worker loop's thread


async def feed() -> None:
    """Give every due batch a turn. A call while another one runs does nothing."""
    if _under_way:
        return
    _under_way.add("feed")
    try:
        for pk in await pool.in_database(feeding.due, timezone.now()):
            # Only now: a lease taken with the list would run out behind slow turns of others.
            if held := await pool.in_database(feeding.take, pk, timezone.now()):
                await _feed(held)
    except faults.DATABASE_AWAY as error:
        faults.tell(logger, "The batches wait for the database", error)
    finally:
        _under_way.clear()


async def _feed(held: feeding.Held) -> None:
    try:
        for _ in range(ROUNDS):
            if not await _round(held):
                break
            await asyncio.sleep(PAUSE_S)
    except faults.DATABASE_AWAY:
        raise
    except Exception:  # one batch's trouble is not another's
        logger.exception("A turn of batch %s failed.", held.pk)
    finally:
        await pool.in_database(feeding.give_back, held, timezone.now())


async def _round(held: feeding.Held) -> int:
    done = await _step(feeding.settle, held)
    for _ in range(REFILLS):
        made = await _step(feeding.refill, held)
        if not made:
            break
        done += made
    return done


async def _step(step: Callable[[int, datetime], int], held: feeding.Held) -> int:
    """Do one step of a turn under a fresh lease; nothing more is done when the lease was lost."""
    if not await pool.in_database(feeding.renew, held, timezone.now()):
        return 0
    return await pool.in_database(step, held.pk, timezone.now())
