"""Entries on their way to the database, beside the calls and never in their way.

What the database does not take goes to the spool, and from there into the database when it is back. What
does not fit anywhere is counted as missed, with the reason.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import IntegrityError

from requests_app import lifecycle
from requests_app.fal.errors import FalError
from requests_app.fal.result_replies import read_queue_result
from requests_app.gateway.entries import CallEntry, EntryKind, call_of, outcome_of
from requests_app.gateway.journal import Journal, left_by_others
from requests_app.gateway.spool import Spool, SpoolFull
from requests_app.upkeep.metrics import GATEWAY_MISSED
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.faults import DATABASE_AWAY

MOST_WAITING = 8  # entries in memory; further ones go to the disk
MOST_WAITING_BYTES = 128 * 1024 * 1024
# Of one file: at 500 calls a second a file for each would leave most of them in memory.
MOST_TOGETHER = 500
MOST_TOGETHER_BYTES = 8 * 1024 * 1024
RETRY_EVERY_S = 5.0
LOOKED_EVERY_S = 4.0  # a lease is 20 s

logger = logging.getLogger(__name__)
DatabaseCall = Callable[..., Awaitable[Any]]


class Recording:
    """Bound to one event loop. `database` runs a blocking function off the loop.

    A few entries wait in memory. Beyond them, and while the database is away, they go to the disk at once. What
    a process that is killed takes with it is in its journal.
    """

    def __init__(self, database: DatabaseCall, spool: Spool) -> None:
        self._database, self._spool = database, spool
        self._journal = Journal(spool.folder)
        self._waiting: deque[CallEntry] = deque()  # for the database
        self._leaving: deque[CallEntry] = deque()  # for the disk
        self._bytes = 0  # of both
        self._more, self._more_to_disk = asyncio.Event(), asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._is_away = False  # the database, at the last try
        self._retry_at = 0.0
        self._may_be_spooled = True  # by this process, or by one before it

    def start(self) -> None:
        """Begin to write, and to store what processes that ended left behind."""
        if not self._tasks:
            work = self._write(), self._put(), self._watch()
            self._tasks = [asyncio.create_task(one) for one in work]

    def stop(self) -> None:
        """Write nothing any more; what waits goes to the spool."""
        for task in self._tasks:
            task.cancel()

    def close(self) -> None:
        """Let go of the journal, after `stop`."""
        self._journal.close()

    def note(self, entry: CallEntry) -> None:
        """Write down a call that is under way, as it is known by now; it is offered later, or given up."""
        self._journal.note(entry)

    def give_up(self, entry: CallEntry) -> None:
        """Forget a call that is recorded otherwise, or not to be recorded."""
        self._journal.forget(entry.public_id)

    def offer(self, entry: CallEntry) -> None:
        """Take an entry. Never waits and never fails."""
        self.start()
        if self._bytes + entry.size > MOST_WAITING_BYTES:
            missed("memory", None)
            self.give_up(entry)
            return
        self._bytes += entry.size
        if self._is_away or len(self._waiting) >= MOST_WAITING:
            self._leave(entry)
        else:
            self._waiting.append(entry)
            self._more.set()

    def put_down(self, entry: CallEntry) -> None:
        """Write an entry to the disk at once, because the loop ends. Blocking."""
        _spool_or_miss(self._spool, [entry])

    async def idle(self) -> None:
        """Wait until all is written that can be; for tests."""
        while self._tasks and self._is_busy:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    @property
    def _is_busy(self) -> bool:
        is_emptying = self._may_be_spooled and not self._is_away
        return bool(self._bytes) or self._more.is_set() or is_emptying

    def _leave(self, entry: CallEntry) -> None:
        self._leaving.append(entry)
        self._more_to_disk.set()

    async def _put(self) -> None:
        """Write to the disk what cannot wait for the database."""
        try:
            while True:
                await self._more_to_disk.wait()
                while self._leaving:
                    together = self._next_file()
                    await asyncio.to_thread(_spool_or_miss, self._spool, together)
                    for entry in together:
                        self._bytes -= entry.size
                        self._leaving.popleft()
                        self.give_up(entry)
                    self._may_be_spooled = True
                self._more_to_disk.clear()
                self._more.set()
        except asyncio.CancelledError:  # the loop ends; what is under way may be written twice
            while together := self._next_file():
                _spool_or_miss(self._spool, together)
                for entry in together:
                    self._leaving.popleft()
                    self.give_up(entry)
            raise

    def _next_file(self) -> list[CallEntry]:
        """Return the entries that are written to the disk together next."""
        found, size = list[CallEntry](), 0
        for entry in islice(self._leaving, MOST_TOGETHER):
            size += entry.size
            if found and size > MOST_TOGETHER_BYTES:
                break
            found.append(entry)
        return found

    async def _write(self) -> None:
        try:
            await self._adopt()
            while True:
                await self._next()
                self._more.clear()
                await self._store_waiting()
                if self._may_be_spooled and asyncio.get_running_loop().time() >= self._retry_at:
                    await self._empty_spool()
        except asyncio.CancelledError:
            for entry in self._waiting:
                self.put_down(entry)
                self.give_up(entry)
            raise

    async def _watch(self) -> None:
        """Notice what another process left behind, before its rows' leases run out."""
        while True:
            await asyncio.sleep(LOOKED_EVERY_S)
            await self._adopt()
            if await asyncio.to_thread(self._spool.is_used):
                self._may_be_spooled = True
                self._more.set()

    async def _adopt(self) -> None:
        """Store what killed processes had under way, before all that waits: rows of theirs are leased for seconds."""
        left = left_by_others(self._spool.folder)
        while (entries := await asyncio.to_thread(next, left, None)) is not None:
            for entry in entries:
                if await self._failed(entry):
                    await asyncio.to_thread(_spool_or_miss, self._spool, [entry])
                    self._may_be_spooled = True

    async def _next(self) -> None:
        """Wait for an entry, or for the time to try the database again."""
        try:
            async with asyncio.timeout(RETRY_EVERY_S if self._is_away else None):
                if not self._may_be_spooled or self._is_away:
                    await self._more.wait()
        except TimeoutError:
            pass

    async def _store_waiting(self) -> None:
        while self._waiting:
            if self._is_away or await self._failed(self._waiting[0]):
                self._leave(self._waiting.popleft())
            else:
                stored = self._waiting.popleft()
                self._bytes -= stored.size
                self.give_up(stored)

    async def _failed(self, entry: CallEntry) -> bool:
        """Store an entry; return whether the database is away."""
        try:
            await self._database(store, entry)
        except IntegrityError as error:  # the team or the user is gone
            missed("refused", error)
        except DATABASE_AWAY:
            if not self._is_away:
                logger.warning("The database is away: calls of the gateway are kept on the disk.")
            self._is_away = True
            self._retry_at = asyncio.get_running_loop().time() + RETRY_EVERY_S
            return True
        except Exception as error:
            missed("failed", error)
        return False

    async def _empty_spool(self) -> None:
        """Store what is on the disk, and what comes meanwhile first."""
        waiting, self._may_be_spooled = self._spool.files(), False
        while found := await asyncio.to_thread(next, waiting, None):
            file, entries = found
            for entry in entries or ():
                if await self._failed(entry):  # those before it are stored once, though read again
                    self._may_be_spooled = True
                    return
                self._is_away = False
                await self._store_waiting()
            put_away = self._spool.set_aside if entries is None else self._spool.remove
            await asyncio.to_thread(put_away, file)
        self._is_away = False


def store(entry: CallEntry) -> None:
    """Hand an entry to the lifecycle. Blocking."""
    if entry.kind == EntryKind.CANCEL:
        lifecycle.note_passed_cancel(
            entry.request_id, entry.sentence, team_id=entry.team_id, person_id=entry.person_id,
            now=entry.heard_at,
        )  # fmt: skip
        return
    if entry.kind == EntryKind.RESULT:
        _store_result(entry)
        return
    outcome = outcome_of(entry, hosts_from_settings())
    if lifecycle.record_passed(call_of(entry), outcome, at=entry.heard_at) is None:
        missed("known", None)


def _store_result(entry: CallEntry) -> None:
    try:
        result = read_queue_result(entry.reply)
    except FalError:
        return  # it has not ended, or that was not the result
    team_id, at = entry.team_id, entry.heard_at
    lifecycle.note_passed_result(entry.request_id, result, team_id=team_id, at=at)


def store_left_calls(folder: Path) -> None:
    """Store what killed processes had under way. Blocking; before the leases of their rows are taken for over."""
    spool = Spool(folder)
    for entries in left_by_others(folder):
        for entry in entries:
            try:
                store(entry)
            except Exception:
                logger.exception("A call of an ended process is stored later.")
                _spool_or_miss(spool, [entry])


def missed(reason: str, error: Exception | None) -> None:
    """Count a call that is not recorded, and say so."""
    GATEWAY_MISSED.labels(reason).inc()
    logger.error("A call through the gateway is not recorded: %s.", reason, exc_info=error)


def _spool_or_miss(spool: Spool, entries: Sequence[CallEntry]) -> None:
    try:
        spool.put(entries)
    except (SpoolFull, OSError) as error:
        if len(entries) > 1:  # some of them may fit
            for entry in entries:
                _spool_or_miss(spool, [entry])
        elif isinstance(error, SpoolFull):
            missed("spool_full", None)
        else:
            missed("disk", error)
