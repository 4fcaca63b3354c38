"""Work: when a row is due, and who holds it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, F, Q, Value, When

from requests_app import announce
from requests_app.models import AT_FAL, LIVE, FalRequest, Mode, Status
from requests_app.rules import schedule


def make_due(pk: int, *, now: datetime) -> None:
    """Look at this row at once (a webhook without payload, a page that was opened)."""
    FalRequest.objects.filter(pk=pk).exclude(fal_request_id="").update(due_at=now)
    announce.work(pk)


def poll_faster_until(pks: Collection[int], *, until: datetime, now: datetime) -> None:
    """Ask fal for these rows at the quick pace until then, but not where fal wants us to wait.

    One statement, however many rows are followed.
    """
    soon = now + timedelta(seconds=schedule.WATCHED_S)
    waits = Q(status__in=AT_FAL, mode=Mode.QUEUE, tries=0, due_at__gt=soon)
    FalRequest.objects.filter(pk__in=pks, status__in=LIVE).update(
        watched_until=until, due_at=Case(When(waits, then=Value(soon)), default=F("due_at"))
    )


def release(pk: int, lease: UUID, due_at: datetime | None, *, failed: bool = False) -> None:
    """Give a leased row back and say when its next look is due (None: never).

    Whoever wanted a look while we held the row (a cancel, a webhook) has moved `due_at` to before
    the lease's end, and that stays: it is decided in the UPDATE itself, so no wish falls between.
    """
    wanted_sooner = When(due_at__lt=F("leased_until"), then=F("due_at"))
    FalRequest.objects.filter(pk=pk, lease=lease).update(
        lease=None,
        leased_until=None,
        due_at=Case(wanted_sooner, default=Value(due_at)),
        tries=F("tries") + 1 if failed else 0,
    )


def resume(*, now: datetime, alone: bool) -> int:
    """After a restart every live row that waits for something is due at once; returns how many.

    `alone`: no other process works on this database, so every lease is a dead one's.
    """
    rows = FalRequest.objects.live().exclude(status=Status.UNCERTAIN, due_at=None)
    if alone:
        return rows.update(due_at=now, lease=None, leased_until=None)
    return rows.filter(leased_until=None).update(due_at=now)
