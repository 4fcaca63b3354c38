"""The guarantee: every row whose step is due is found here, whatever message was lost."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from requests_app.models import FalRequest, Heartbeat, Mode, Status
from requests_app.worker.loop import watch_loop
from requests_app.worker.steps import advance

AT_MOST = 1000  # rows started by one sweep
HEARTBEAT_EVERY = timedelta(seconds=5)

_under_way: set[int] = set()  # rows this process is at; only the loop's thread touches it


async def sweep() -> int:
    """Start the next step of all due rows at once; returns how many were started."""
    now = timezone.now()
    due = await watch_loop.database(_due, now, is_shut=watch_loop.breaker().is_open)
    fresh = [pk for pk in due if pk not in _under_way]
    for pk in fresh:
        _begin(pk)
    return len(fresh)


def _begin(pk: int) -> None:
    _under_way.add(pk)
    # By call-back: a task that is cancelled before its first step never reaches a `finally`.
    watch_loop.start(advance(pk)).add_done_callback(lambda _: _under_way.discard(pk))


def _due(now: datetime, *, is_shut: bool) -> list[int]:
    """While fal's queue is away, of those that wait for it one is enough: it asks for all."""
    _beat(now)
    rows = FalRequest.objects.due(now).order_by("due_at").values_list("pk", flat=True)
    if is_shut:
        wants_queue = Q(mode=Mode.QUEUE) & ~Q(status__in=(Status.SUBMITTING, Status.UNCERTAIN))
        return [*rows.exclude(wants_queue)[:AT_MOST], *rows.filter(wants_queue)[:1]]
    return list(rows[:AT_MOST])


def _beat(now: datetime) -> None:
    """Show /readyz that a worker sweeps."""
    fresh = Heartbeat.objects.filter(part="sweep", at__gt=now - HEARTBEAT_EVERY).exists()
    if not fresh:
        Heartbeat.objects.update_or_create(part="sweep", defaults={"at": now})
