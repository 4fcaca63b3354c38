"""The rows of the queue, one transaction each. A job is given to its app at most once.

A worker holds a job by a short lease. When it runs out, the worker is gone, and whether the app did the work is not
known: the job ends so, and is not given to the app a second time. Only a try that certainly did not reach the app goes
back into the queue.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from dashboard.local_apps import LocalApp
from requests_app import lifecycle
from requests_app.models import FalRequest, LocalJob

LEASE = timedelta(seconds=15)
KEPT = timedelta(hours=1)  # after its end, as fal keeps results
MOST_TRIES = 10  # as fal's queue
MOST_LINES = 1000
_GONE = (
    "The worker of Faldeck that ran this request was stopped. Whether the app finished it is not known; "
    "it was not given to the app a second time."
)
_LATE = "The app did not start this request in the time that its caller gave it."
_AWAY = "The app could not be reached."
_CANCELLED = "Request was cancelled"


@dataclass(frozen=True)
class JobEnd:
    """How a job ended: the app's answer, or with an `error_type` why there is none."""

    status_code: int
    output: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    error_type: str = ""


def failed(status_code: int, error_type: str, sentence: str, **headers: str) -> JobEnd:
    """Return an end in the form of fal's own errors."""
    body = json.dumps({"detail": sentence, "error_type": error_type}).encode()
    told = {"content-type": "application/json", "x-fal-error-type": error_type, **headers}
    return JobEnd(status_code, body, told, error_type)


def waiting(app_id: str) -> QuerySet[LocalJob]:
    """The jobs of an app that have not begun, in their order."""
    return LocalJob.objects.filter(app=app_id, slot=None, ended_at=None).order_by("is_low", "pk")


def position(job: LocalJob) -> int:
    """How many are before it."""
    before = Q(is_low=job.is_low, pk__lt=job.pk)
    return waiting(job.app).filter(before | Q(is_low=False) if job.is_low else before).count()


def find(app_id: str, request_id: str, team_pk: int | None) -> LocalJob | None:
    """Return a job of that app, unless it is another team's."""
    try:
        known = uuid.UUID(request_id)
    except ValueError:
        return None
    job = LocalJob.objects.defer("body").filter(app=app_id, request_id=known).first()
    is_theirs = job is not None and (team_pk is None or job.team_pk in (None, team_pk))
    return job if is_theirs else None


def take(app: LocalApp, now: datetime) -> LocalJob | None:
    """Give the next job of an app a free slot and this caller its lease; None: nothing to do now."""
    try:
        with transaction.atomic():
            busy = LocalJob.objects.filter(app=app.id, slot__isnull=False)
            taken = set(busy.values_list("slot", flat=True))
            slot = next((number for number in range(app.at_once) if number not in taken), None)
            job = waiting(app.id).filter(due_at__lte=now).first() if slot is not None else None
            if job is None:
                return None
            lease = {"slot": slot, "lease": uuid.uuid4(), "leased_until": now + LEASE}
            mine = LocalJob.objects.filter(pk=job.pk, slot=None, ended_at=None)
            if not mine.update(**lease, started_at=now, tries=job.tries + 1):
                return None
    except IntegrityError:  # another process took the slot in this moment
        return None
    _tell(job)
    return LocalJob.objects.get(pk=job.pk)


def renew(job: LocalJob, lines: list[dict[str, Any]], now: datetime) -> bool | None:
    """Renew the lease and store new lines; return whether a cancel was asked for, None for a lost lease."""
    with transaction.atomic():
        held = LocalJob.objects.select_for_update().filter(
            pk=job.pk, lease=job.lease, ended_at=None
        )
        row = held.only("logs", "cancel_asked_at").first()
        if row is None:
            return None
        LocalJob.objects.filter(pk=job.pk).update(leased_until=now + LEASE, logs=_logs(row, lines))
    return row.cancel_asked_at is not None


def put_back(job: LocalJob, now: datetime) -> None:
    """Queue a job again that certainly did not reach its app; after `MOST_TRIES` it has failed."""
    if job.tries >= MOST_TRIES or job.has_no_retry:
        finish(job, failed(503, "runner_connection_refused", _AWAY), [], now)
        return
    due_at = now + timedelta(seconds=min(2.0 ** (job.tries - 1), 30.0))
    free = {"slot": None, "lease": None, "leased_until": None, "started_at": None}
    held = LocalJob.objects.filter(pk=job.pk, lease=job.lease, ended_at=None)
    held.update(**free, due_at=due_at)
    _tell(job)


def finish(
    job: LocalJob, end: JobEnd, lines: list[dict[str, Any]], now: datetime, *, only: Q | None = None
) -> bool:
    """Store the end, once; False when the job has another one or another holder, or is not as `only` says."""
    with transaction.atomic():
        held = LocalJob.objects.select_for_update().filter(
            pk=job.pk, ended_at=None, lease=job.lease
        )
        row = held.filter(only or Q()).only("logs", "webhook_url", "webhook_fault").first()
        if row is None:
            return False
        LocalJob.objects.filter(pk=job.pk).update(
            ended_at=now, status_code=end.status_code, output=end.output, headers=dict(end.headers),
            error_type=end.error_type, slot=None, lease=None, leased_until=None,
            logs=_logs(row, lines), webhook_due_at=_webhook_at(row, now),
        )  # fmt: skip
    _tell(job)
    return True


def ask_cancel(job: LocalJob, now: datetime) -> None:
    """End a job that waits; tell the holder of one at work, which passes it on to the app."""
    LocalJob.objects.filter(pk=job.pk, ended_at=None).update(cancel_asked_at=now)
    waiting_job = LocalJob.objects.filter(pk=job.pk, slot=None, ended_at=None).first()
    if waiting_job:
        finish(waiting_job, failed(499, "client_cancelled", _CANCELLED), [], now)


def end_overdue(now: datetime) -> None:
    """End what its worker left, and what was to have begun by now."""
    open_jobs = LocalJob.objects.filter(ended_at=None)
    left = Q(slot__isnull=False, leased_until__lt=now)
    for job in open_jobs.filter(left):
        finish(job, failed(503, "runner_disconnected", _GONE), [], now, only=left)
    for job in open_jobs.filter(slot=None, start_by__lt=now):
        limit = {"x-fal-request-timeout-type": "user"}
        finish(job, failed(504, "request_timeout", _LATE, **limit), [], now)


def remove_old(now: datetime) -> None:
    """Forget jobs an hour after their end."""
    LocalJob.objects.filter(ended_at__lt=now - KEPT, webhook_due_at=None).delete()


def _webhook_at(row: LocalJob, now: datetime) -> datetime | None:
    rule = row.webhook_fault or {}
    late_s = rule["seconds"] if rule.get("do") == "delay" else 0
    return now + timedelta(seconds=late_s) if row.webhook_url else None


def _logs(row: LocalJob, lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [*row.logs, *lines][-MOST_LINES:]


def _tell(job: LocalJob) -> None:
    """Have the request that stands for the job polled at once."""
    for row in FalRequest.objects.live().filter(fal_request_id=str(job.request_id)).only("pk"):
        lifecycle.make_due(row.pk, now=timezone.now())
