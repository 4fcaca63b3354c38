"""Work that a worker does in turns: a lease keeps other processes away, marks measure the rate."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Self

from django.db import models
from django.db.models import Q

LEASE = timedelta(seconds=20)
AGAIN_AFTER = timedelta(seconds=1)
AT_MOST = 20  # in one round
MARK_EVERY = timedelta(seconds=5)


@dataclass(frozen=True)
class HeldTurn:
    """Work that this process has leased."""

    pk: int
    lease: uuid.UUID


class TurnsQuerySet(models.QuerySet[Any]):
    """Queries for work in turns."""

    def due(self, now: datetime) -> Self:
        """Those whose next turn is due and that no process has leased."""
        return self.filter(due_at__lte=now).filter(Q(leased_until=None) | Q(leased_until__lt=now))

    def next_in_turn(self, now: datetime) -> list[int]:
        """Return the keys of those whose turn it is: first those that have waited longest."""
        return list(self.due(now).order_by("due_at").values_list("pk", flat=True)[:AT_MOST])

    def take_turn(self, pk: int, now: datetime) -> HeldTurn | None:
        """Lease one that is due for its turn; None if another process was first."""
        token = uuid.uuid4()
        taken = self.due(now).filter(pk=pk).update(leased_until=now + LEASE, lease=token)
        return HeldTurn(pk, token) if taken else None

    def renew_turn(self, held: HeldTurn, now: datetime) -> bool:
        """Renew the lease; False when another process has it now."""
        mine = self.filter(pk=held.pk, lease=held.lease)
        return bool(mine.update(leased_until=now + LEASE))

    def end_turn(self, held: HeldTurn, now: datetime, *, idle: Q) -> None:
        """End the lease; it is due again in a second, unless it is `idle`: ended, or waiting for a user."""
        mine = self.filter(pk=held.pk, lease=held.lease)
        mine.update(lease=None, leased_until=None, due_at=now + AGAIN_AFTER)
        self.filter(idle, pk=held.pk).update(due_at=None)

    def mark_rate(self, pk: int, now: datetime) -> None:
        """Measure the rate every few seconds, half of it from the time before: a single burst is not the rate."""
        work = self.get(pk=pk)
        if work.marked_at is None or now - work.marked_at < MARK_EVERY:
            return
        fresh = (work.done - work.marked_done) / (now - work.marked_at).total_seconds()
        rate = (work.rate + fresh) / 2 if work.rate else fresh
        self.filter(pk=pk).update(rate=max(rate, 0.0), marked_at=now, marked_done=work.done)


class WorkInTurns(models.Model):
    """Columns of work in turns. A subclass says how much is `done` of its `total`."""

    # Rate: ends per second since the mark, smoothed over the marks before
    rate = models.FloatField(default=0)
    marked_at = models.DateTimeField(null=True, blank=True)
    marked_done = models.PositiveIntegerField(default=0)

    # The worker takes what has a due_at that has passed; a lease keeps other processes away
    due_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)

    class Meta:
        abstract = True

    def time_left(self, count: int) -> timedelta | None:
        """How long so many take at the present rate; None when that is not known."""
        return timedelta(seconds=min(count / self.rate, 1e8)) if self.rate > 0 else None
