"""Keep copies of media: search outputs for them, fetch those that are due, remove what nothing needs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from requests_app.copies.fetching import Cause, NotFetched, OpenedFile, WantedFile, opened
from requests_app.copies.files import OverQuota, given_up, note_removed
from requests_app.copies.incoming import Part
from requests_app.copies.noticing import look_at_due, note_older
from requests_app.copies.states import (
    LEASE,
    Fetched,
    LeaseLost,
    TakenCopy,
    confirm,
    note_problem,
    renew,
    reserve,
    room_for,
    take_due,
)
from requests_app.copies.store import StoreProblem, copy_store
from requests_app.display.media import TELLS_NOTHING
from requests_app.display.media_hosts import canonical_type
from requests_app.display.output_media import shown_type
from requests_app.worker.loop import pool

AT_ONCE = 4  # files that are fetched side by side
DEADLINE_S = 900.0
BUFFER = 1024 * 1024
RENEW_S = LEASE.total_seconds() / 3
_EXPECTED = (NotFetched, OverQuota, StoreProblem)

logger = logging.getLogger(__name__)


class CopyKeeper:
    """At most one round of a process runs at a time. Used only on the worker loop's thread."""

    def __init__(self) -> None:
        self._is_running = False

    async def keep_due(self) -> None:
        """Do all that is due. A call during a round does nothing: the clock calls again."""
        if self._is_running:
            return
        self._is_running = True
        try:
            await self._round()
        finally:
            self._is_running = False

    async def _round(self) -> None:
        await pool.in_database(note_older, timezone.now())
        while await pool.in_database(look_at_due, timezone.now()):
            pass
        places = asyncio.Semaphore(AT_ONCE)
        running: set[asyncio.Task[None]] = set()
        try:
            while True:
                await places.acquire()
                taken = await pool.in_database(take_due, timezone.now(), 1)
                if not taken:
                    break
                task = asyncio.create_task(_keep(taken[0]))
                running.add(task)
                task.add_done_callback(running.discard)
                task.add_done_callback(lambda _: places.release())
            if running:
                await asyncio.wait(running)
        finally:
            for task in running:
                task.cancel()
        await _remove()


keeper = CopyKeeper()


async def _remove() -> None:
    try:
        while some := await pool.in_database(given_up, timezone.now()):
            for pk, name in some:
                await asyncio.to_thread(copy_store().remove, name)
                await pool.in_database(note_removed, pk)
    except StoreProblem as problem:
        logger.warning("Files that are given up could not be removed: %s", problem)


async def _keep(taken: TakenCopy) -> None:
    """Keep one. Whatever goes wrong is kept as the reason, so that no other one suffers."""
    try:
        with _renewing(taken):
            await _fetch(taken)
    except (LeaseLost, DatabaseError) as error:  # it is due again when the lease has expired
        logger.warning("A copy was not kept in time: %s", type(error).__name__)
    except Exception as error:
        if not isinstance(error, _EXPECTED):
            logger.exception("A medium could not be kept.", extra={"copy": taken.pk})
            error = StoreProblem("It could not be kept.")
        await pool.in_database(note_problem, taken, error, timezone.now())


async def _fetch(taken: TakenCopy) -> None:
    await pool.in_database(room_for, taken.team_id, 0)
    wanted = WantedFile(taken.url, settings.FAL_MEDIA_HOSTS, taken.most, DEADLINE_S)
    async with opened(wanted) as incoming:
        if incoming.is_packed:
            raise NotFetched("The file came compressed, which was not asked for.", Cause.REFUSED)
        await pool.in_database(room_for, taken.team_id, incoming.length or 0)
        part = await asyncio.to_thread(Part)
        try:
            fetched = await _received(part, incoming, taken)
            file = await pool.in_database(reserve, taken, fetched, timezone.now())
            if file.stored_at is None:
                await asyncio.to_thread(copy_store().put, file.name, fetched.path)
            await pool.in_database(confirm, taken, file, fetched, timezone.now())
        finally:
            await asyncio.to_thread(part.discard)


async def _received(part: Part, incoming: OpenedFile, taken: TakenCopy) -> Fetched:
    buffer = bytearray()
    async for piece in incoming.pieces:
        buffer += piece
        if len(buffer) >= BUFFER:
            await asyncio.to_thread(part.add, bytes(buffer))
            buffer.clear()
    await asyncio.to_thread(part.add, bytes(buffer))
    digest = await asyncio.to_thread(part.finish)
    named = canonical_type(incoming.content_type)
    given = taken.content_type if named in TELLS_NOTHING else named
    return Fetched(part.path, digest, part.size, shown_type(given, part.head))


@contextmanager
def _renewing(taken: TakenCopy) -> Iterator[None]:
    """Renew the lease while the block lasts. Who has lost it finds that out when it writes."""

    async def renewal() -> None:
        is_mine = True
        while is_mine:
            await asyncio.sleep(RENEW_S)
            is_mine = await pool.in_database(renew, taken, timezone.now())

    task = asyncio.create_task(renewal())
    try:
        yield
    finally:
        task.cancel()
