"""Work: when a row is due, and who holds it."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.utils import timezone

from requests_app import announce, pace
from requests_app.models import AT_FAL, LIVE, FalRequest, Mode, Status


def make_due(pk: int, *, now: datetime) -> None:
    """Look at this row at once (a webhook without payload, a page that was opened)."""
    FalRequest.objects.filter(pk=pk).exclude(fal_request_id="").update(due_at=now)
    announce.work(pk)


def watched(pk: int, *, until: datetime, now: datetime) -> None:
    """Somebody has the page open until then: look more often."""
    FalRequest.objects.filter(pk=pk, status__in=LIVE).update(watched_until=until)
    FalRequest.objects.filter(
        pk=pk,
        status__in=AT_FAL,
        mode=Mode.QUEUE,
        due_at__gt=now + timedelta(seconds=pace.WATCHED_S),
    ).update(due_at=now + timedelta(seconds=pace.WATCHED_S))


def release(pk: int, lease: UUID, due_at: datetime | None, *, failed: bool = False) -> None:
    """Give a leased row back and say when its next look is due (None: never)."""
    row = FalRequest.objects.only("cancel_asked_at", "cancel_answer", "status", "tries").get(pk=pk)
    if row.is_cancelling and not row.cancel_answer and not failed:
        due_at = timezone.now()  # asked while we were looking
    FalRequest.objects.filter(pk=pk, lease=lease).update(
        lease=None, leased_until=None, due_at=due_at, tries=row.tries + 1 if failed else 0
    )


def resume(*, now: datetime, alone: bool) -> int:
    """After a restart every live row is due at once; returns how many.

    `alone`: no other process works on this database, so every lease is a dead one's.
    """
    rows = FalRequest.objects.live().exclude(status=Status.UNCERTAIN)
    if alone:
        return rows.update(due_at=now, lease=None, leased_until=None)
    return rows.filter(leased_until=None).update(due_at=now)
