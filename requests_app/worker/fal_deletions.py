"""Ask fal to delete what it keeps of requests whose payload was deleted here."""

from __future__ import annotations

import asyncio
import logging

from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import FalError, Refused
from requests_app.keys import key_of
from requests_app.models import FalDeletion
from requests_app.worker import faults
from requests_app.worker.loop import connections, pool

AT_ONCE = 4  # calls side by side: fal bounds them by itself, and nothing waits for them

logger = logging.getLogger(__name__)


class FalEraser:
    """At most one round of a process runs at a time. Used only on the worker loop's thread."""

    def __init__(self) -> None:
        self._is_running = False

    async def erase_due(self) -> None:
        """Ask for all that is due. A call during a round does nothing: the clock calls again."""
        if self._is_running:
            return
        self._is_running = True
        try:
            while taken := await pool.in_database(
                lifecycle.take_fal_deletions, timezone.now(), AT_ONCE
            ):
                await asyncio.gather(*(_erase(deletion) for deletion in taken))
        finally:
            self._is_running = False


eraser = FalEraser()


async def _erase(deletion: FalDeletion) -> None:
    """Ask once, and store what came of it. One that cannot be stored is due again in a while."""
    try:
        await _ask(deletion)
    except faults.DATABASE_AWAY:
        raise
    except Exception as error:
        faults.tell(logger, f"The deletion at fal of {deletion.public_id} failed", error)
        why = f"It cannot be processed here: {faults.describe(error)}."
        await pool.in_database(lifecycle.note_fal_away, deletion, why, now=timezone.now())


async def _ask(deletion: FalDeletion) -> None:
    once = f"faldeck-{deletion.public_id}-{deletion.asked_at:%Y%m%d%H%M%S%f}"
    try:
        key = await pool.in_database(key_of, deletion.fal_key_id)
        told = await connections.client(key).delete_payloads(deletion.fal_request_id, once=once)
    except Refused as error:
        now, why = timezone.now(), str(error)
        if error.is_gone:
            await pool.in_database(lifecycle.note_fal_unknown, deletion, now=now)
        elif error.is_rate_limit:
            wait_s = error.retry_after_s
            await pool.in_database(lifecycle.note_fal_away, deletion, why, now=now, wait_s=wait_s)
        else:
            await pool.in_database(lifecycle.note_fal_refused, deletion, why, now=now)
    except FalError as error:
        await pool.in_database(lifecycle.note_fal_away, deletion, str(error), now=timezone.now())
    else:
        await pool.in_database(lifecycle.note_fal_deleted, deletion, told, now=timezone.now())
