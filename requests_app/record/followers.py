"""The requests followed in this process: the worker polls fal for them at the quick pace.

A page, an open list and a program's event stream all count. The mark in the database expires by
itself, so it is renewed while a follower is connected; one UPDATE renews all rows of the process.
A page without a socket renews it with each of its polls.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import timedelta
from threading import Lock

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models.request import FalRequestQuerySet

FOLLOW_FOR = timedelta(seconds=15)
RENEW_S = FOLLOW_FOR.total_seconds() / 2
ROWS_AT_ONCE = 500  # in one UPDATE

logger = logging.getLogger(__name__)


class Followers:
    """Rows and how many followers each has. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[int] = Counter()
        self._renewed_s: dict[int, float] = {}  # when, by time.monotonic()
        self._due_s = float("inf")

    @contextmanager
    def following(self, pks: Collection[int]) -> Iterator[None]:
        """Follow these rows; call `renew_if_due` at the start and every few seconds."""
        self.add(pks)
        try:
            yield
        finally:
            self.remove(pks)

    def add(self, pks: Collection[int]) -> None:
        """Add a follower to each row; a row that had none is due for its mark."""
        with self._lock:
            self._counts.update(pks)
            if any(pk not in self._renewed_s for pk in pks):
                self._due_s = 0.0

    def remove(self, pks: Collection[int]) -> None:
        """Remove a follower from each row."""
        with self._lock:
            self._counts.subtract(pks)
            for pk in pks:
                if self._counts[pk] <= 0:
                    del self._counts[pk]
                    self._renewed_s.pop(pk, None)

    def is_due(self) -> bool:
        """Whether a row's mark has to be renewed. Cheap."""
        return time.monotonic() >= self._due_s

    def renew(self) -> int:
        """Mark the rows that are due or soon will be; return how many.

        When the database is away, this turn is skipped and the follower stays.
        """
        pks = self._take_due()
        _mark(pks)
        return len(pks)

    async def renew_if_due(self) -> None:
        """Like `renew`, from an event loop; uses a thread only when a mark is due."""
        if self.is_due():
            await database_sync_to_async(self.renew)()

    def _take_due(self) -> list[int]:
        now_s = time.monotonic()
        with self._lock:
            if now_s < self._due_s:
                return []
            never = float("-inf")
            # renew these together with those that are due: fewer statements
            soon_s = now_s - RENEW_S / 2
            due = [pk for pk in self._counts if self._renewed_s.get(pk, never) <= soon_s]
            self._renewed_s |= dict.fromkeys(due, now_s)
            self._due_s = min(self._renewed_s.values(), default=float("inf")) + RENEW_S
            return due


followers = Followers()


def mark_polled(rows: FalRequestQuerySet) -> None:
    """Mark the live ones of these rows for a page that polls; it polls again before the mark expires."""
    soon = timezone.now() + timedelta(seconds=RENEW_S)
    due = rows.live().filter(Q(watched_until=None) | Q(watched_until__lt=soon))
    _mark(list(due.values_list("pk", flat=True)))


def _mark(pks: list[int]) -> None:
    now = timezone.now()
    try:
        for first in range(0, len(pks), ROWS_AT_ONCE):
            some = pks[first : first + ROWS_AT_ONCE]
            lifecycle.poll_faster_until(some, until=now + FOLLOW_FOR, now=now)
    except DatabaseError:
        logger.warning("Followed rows could not be marked; they are polled slowly meanwhile.")
