"""Find every row whose step is due, so that no message has to arrive."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from requests_app.models import FalRequest, Heartbeat, Mode, Status
from requests_app.rules.schedule import POLLS_PER_S
from requests_app.worker.exporter import exporter
from requests_app.worker.feeder import feed
from requests_app.worker.local_jobs import run_due
from requests_app.worker.loop import connections, pool, worker_loop
from requests_app.worker.steps import ROUTE, advance

AT_MOST = 1000  # rows started by one sweep
HEARTBEAT_EVERY = timedelta(seconds=5)
REPEATS, REPEAT_EVERY_S = 3, 0.25

# Used only on the worker loop's thread: keys of rows with a running step; a mark while a sweep is repeated.
_under_way: set[int] = set()
_repeating: set[str] = set()


async def sweep() -> int:
    """Start the next step of all due rows at once, and a turn of the batches; return how many rows."""
    begun = await _pass()
    worker_loop.start(feed())
    worker_loop.start(exporter.write_next())
    if settings.LOCAL_APPS:
        worker_loop.start(run_due())
    if settings.POLLS_PER_S > POLLS_PER_S and not _repeating:
        _repeating.add("sweep")
        worker_loop.start(_repeat()).add_done_callback(lambda _: _repeating.clear())
    return begun


async def _pass() -> int:
    now = timezone.now()
    due = await pool.in_database(_due, now, is_shut=connections.breaker().is_open)
    fresh = [row for row in due if row.pk not in _under_way]
    for row in fresh:
        _begin(row)
    return len(fresh)


async def _repeat() -> None:
    """Sweep thrice more within the second, where more polls are allowed than one a second needs."""
    for _ in range(REPEATS):
        await asyncio.sleep(REPEAT_EVERY_S)
        await _pass()


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
        for app_id in settings.LOCAL_APPS:  # they have their own queue
            wants_queue &= ~Q(endpoint_id=app_id) & ~Q(endpoint_id__startswith=f"{app_id}/")
        return [*rows.exclude(wants_queue)[:AT_MOST], *rows.filter(wants_queue)[:1]]
    return list(rows[:AT_MOST])


def _beat(now: datetime) -> None:
    """Write the heartbeat from which /readyz sees that a worker sweeps."""
    fresh = Heartbeat.objects.filter(part="sweep", at__gt=now - HEARTBEAT_EVERY).exists()
    if not fresh:
        Heartbeat.objects.update_or_create(part="sweep", defaults={"at": now})
