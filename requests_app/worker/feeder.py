"""Give batches and bulk actions their turns: every second, and at once while there is much to do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from types import ModuleType

from django.utils import timezone

from requests_app.batches import feeding
from requests_app.bulk import working
from requests_app.models import Batch, BulkAction
from requests_app.models.turns import HeldTurn, TurnsQuerySet
from requests_app.worker import faults
from requests_app.worker.loop import pool

ROUNDS = 4  # of one call, while there is something to do
PAUSE_S = 0.2
REFILLS = 10  # of one round: enough for all places, and the others have their turns too

logger = logging.getLogger(__name__)


class Feeder:
    """Gives turns to work of one kind. Its module has `settle`, `refill` and which work is `IDLE`."""

    def __init__(self, rows: Callable[[], TurnsQuerySet], module: ModuleType) -> None:
        self._rows = rows
        self._module = module
        self._is_at_it = False  # used only on the worker loop's thread

    async def feed(self) -> None:
        """Give all that is due a turn. A call while another one runs does nothing."""
        if self._is_at_it:
            return
        self._is_at_it = True
        try:
            for pk in await pool.in_database(self._rows().next_in_turn, timezone.now()):
                # Only now: a lease taken with the list would run out behind slow turns of others.
                if held := await pool.in_database(self._rows().take_turn, pk, timezone.now()):
                    await self._turn(held)
        except faults.DATABASE_AWAY as error:
            faults.tell(
                logger, f"{self._rows().model.__name__}: turns wait for the database", error
            )
        finally:
            self._is_at_it = False

    async def _turn(self, held: HeldTurn) -> None:
        try:
            for _ in range(ROUNDS):
                if not await self._round(held):
                    break
                await asyncio.sleep(PAUSE_S)
        except faults.DATABASE_AWAY:
            raise
        except Exception:  # the trouble of one is not that of the others
            logger.exception("A turn of %s %s failed.", self._rows().model.__name__, held.pk)
        finally:
            await pool.in_database(self._end, held, timezone.now())

    def _end(self, held: HeldTurn, now: datetime) -> None:
        self._rows().end_turn(held, now, idle=self._module.IDLE)

    async def _round(self, held: HeldTurn) -> int:
        done = await self._step(self._module.settle, held)
        for _ in range(REFILLS):
            made = await self._step(self._module.refill, held)
            if not made:
                break
            done += made
        return done

    async def _step(self, step: Callable[[int, datetime], int], held: HeldTurn) -> int:
        """Do one step of a turn under a fresh lease; nothing more is done when the lease was lost."""
        if not await pool.in_database(self._rows().renew_turn, held, timezone.now()):
            return 0
        return await pool.in_database(step, held.pk, timezone.now())


FEEDERS = (Feeder(Batch.objects.all, feeding), Feeder(BulkAction.objects.all, working))


async def feed() -> None:
    """Give batches and bulk actions their turns, side by side."""
    await asyncio.gather(*(feeder.feed() for feeder in FEEDERS))
