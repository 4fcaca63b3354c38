"""When a row is due, and the release of its lease."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, F, Q, Value, When

from requests_app import announce
from requests_app.models import AT_FAL, LIVE, FalRequest, Mode, Status
from requests_app.rules import schedule


def make_due(pk: int, *, now: datetime) -> None:
    """Poll this row at once, after a webhook without payload or when a page is opened."""
    FalRequest.objects.filter(pk=pk).exclude(fal_request_id="").update(due_at=now)
    announce.work(pk)


def poll_faster_until(pks: Collection[int], *, until: datetime, now: datetime) -> None:
    """Poll these rows every second until then, except rows that are backing off.

    One UPDATE, however many rows are followed.
    """
    soon = now + timedelta(seconds=schedule.WATCHED_S)
    waits = Q(status__in=AT_FAL, mode=Mode.QUEUE, tries=0, due_at__gt=soon)
    FalRequest.objects.filter(pk__in=pks, status__in=LIVE).update(
        watched_until=until, due_at=Case(When(waits, then=Value(soon)), default=F("due_at"))
    )


@dataclass(frozen=True)
class Release:
    """A lease to release, and when the row's next step is due (None: never)."""

    pk: int
    lease: UUID
    due_at: datetime | None
    failed: bool = False


def release(*releases: Release) -> None:
    """Release leases. Rows that differ only in their key are one UPDATE.

    A cancel or a webhook during a lease has set `due_at` to before the lease's end, and that stays. The
    UPDATE itself decides, so there is no race. Rows whose lease was lost are left alone.
    """
    alike: dict[tuple[UUID, datetime | None, bool], list[int]] = defaultdict(list)
    for one in sorted(releases, key=lambda one: one.pk):  # always locked in one order
        alike[one.lease, one.due_at, one.failed].append(one.pk)
    wanted_sooner = When(due_at__lt=F("leased_until"), then=F("due_at"))
    for (lease, due_at, failed), pks in alike.items():
        FalRequest.objects.filter(pk__in=pks, lease=lease).update(
            lease=None,
            leased_until=None,
            due_at=Case(wanted_sooner, default=Value(due_at)),
            tries=F("tries") + 1 if failed else 0,
        )


def resume(*, now: datetime, alone: bool) -> int:
    """Make every live row due at once after a restart, except lost ones; return how many.

    `alone`: no other process uses this database, so every lease belongs to a dead process.
    """
    rows = FalRequest.objects.live().exclude(status=Status.UNCERTAIN, due_at=None)
    if alone:
        return rows.update(due_at=now, lease=None, leased_until=None)
    return rows.filter(leased_until=None).update(due_at=now)
