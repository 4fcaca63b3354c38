"""Find every row whose step is due, so that no message has to arrive."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from requests_app.models import FalRequest, Heartbeat, Mode, Status
from requests_app.worker.feeder import feed
from requests_app.worker.loop import connections, pool, worker_loop
from requests_app.worker.steps import ROUTE, advance

AT_MOST = 1000  # rows started by one sweep
HEARTBEAT_EVERY = timedelta(seconds=5)

_under_way: set[int] = (
    set()
)  # keys of rows with a running step; used only on the worker loop's thread


async def sweep() -> int:
    """Start the next step of all due rows at once, and a turn of the batches; return how many rows."""
    now = timezone.now()
    due = await pool.in_database(_due, now, is_shut=connections.breaker().is_open)
    fresh = [row for row in due if row.pk not in _under_way]
    for row in fresh:
        _begin(row)
    worker_loop.start(feed())
    return len(fresh)


def _begin(row: FalRequest) -> None:
    _under_way.add(row.pk)
    # A callback, not `finally`: a task that is cancelled before its first step never reaches one.
    worker_loop.start(advance(row)).add_done_callback(lambda _: _under_way.discard(row.pk))


def _due(now: datetime, *, is_shut: bool) -> list[FalRequest]:
    """Return due rows. While the breaker is open, one row that needs the queue probes for all."""
    _beat(now)
    rows = FalRequest.objects.due(now).order_by("due_at").only(*ROUTE)
    if is_shut:
        wants_queue = Q(mode=Mode.QUEUE) & ~Q(status__in=(Status.SUBMITTING, Status.UNCERTAIN))
        return [*rows.exclude(wants_queue)[:AT_MOST], *rows.filter(wants_queue)[:1]]
    return list(rows[:AT_MOST])


def _beat(now: datetime) -> None:
    """Write the heartbeat from which /readyz sees that a worker sweeps."""
    fresh = Heartbeat.objects.filter(part="sweep", at__gt=now - HEARTBEAT_EVERY).exists()
    if not fresh:
        Heartbeat.objects.update_or_create(part="sweep", defaults={"at": now})
