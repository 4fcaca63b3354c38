"""When a row is due, and the release of its lease."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Case, DateTimeField, F, Q, Value, When

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
    """Release leases, those of one token in one UPDATE.

    A cancel or a webhook during a lease has set `due_at` to before the lease's end, and that stays. The
    UPDATE itself decides, so there is no race. Rows whose lease was lost are left alone.
    """
    of_lease: dict[UUID, list[Release]] = defaultdict(list)
    for one in sorted(releases, key=lambda one: one.pk):  # always locked in one order
        of_lease[one.lease].append(one)
    for lease, ones in of_lease.items():
        failed = [one.pk for one in ones if one.failed]
        again = Case(When(pk__in=failed, then=F("tries") + 1), default=Value(0)) if failed else 0
        FalRequest.objects.filter(pk__in=[one.pk for one in ones], lease=lease).update(
            lease=None, leased_until=None, due_at=_due_at(ones), tries=again
        )


def _due_at(releases: Sequence[Release]) -> Case:
    """Return each row's own time, unless a sooner one was set while it was leased."""
    pks_at: dict[datetime | None, list[int]] = defaultdict(list)
    for one in releases:
        pks_at[one.due_at].append(one.pk)
    last_at, _ = pks_at.popitem()
    wanted_sooner = When(due_at__lt=F("leased_until"), then=F("due_at"))
    own = (When(pk__in=pks, then=_time(at)) for at, pks in pks_at.items())
    return Case(wanted_sooner, *own, default=_time(last_at))


def _time(at: datetime | None) -> Value:
    return Value(at, output_field=DateTimeField(null=True))


def resume(*, now: datetime, alone: bool) -> int:
    """Make every live row due at once after a restart, except lost ones; return how many.

    `alone`: no other process uses this database, so every lease belongs to a dead process.
    """
    rows = FalRequest.objects.live().exclude(status=Status.UNCERTAIN, due_at=None)
    if alone:
        return rows.update(due_at=now, lease=None, leased_until=None)
    return rows.filter(leased_until=None).update(due_at=now)
