"""Failing: a step of a row that nothing expected to fail. It is backed off, told, and bounded."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from requests_app.fal.reports import Result
from requests_app.lifecycle.asking import unanswered
from requests_app.lifecycle.sending import uncertain
from requests_app.lifecycle.writing import apply, locked, record
from requests_app.models import ErrorType, FalRequest, Source, Status
from requests_app.models.request import FAILING_FROM
from requests_app.rules import schedule
from requests_app.rules.transitions import Change

TOLD_AT = FAILING_FROM  # about seven seconds
MOST_FAILURES = 20  # in a row, with their back-off: a quarter of an hour


def step_failed(pk: int, why: str, *, now: datetime) -> None:
    """Make the row wait; tell it after the third failure in a row, and end what stays hopeless.

    The wait is one UPDATE that reads nothing of the row: whatever is odd in it, it is not tried
    again at once.
    """
    free = FalRequest.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now), pk=pk)
    found = free.exclude(due_at=None).values_list("tries", "status").first()
    if found is None:
        return
    tries, status = found[0] + 1, found[1]
    free.update(tries=F("tries") + 1, due_at=schedule.next_try(now, tries))
    if tries == TOLD_AT:
        unanswered(pk, why, now=now)
    if tries >= MOST_FAILURES:
        _end(pk, status, why, now)


def _end(pk: int, status: str, why: str, now: datetime) -> None:
    match Status(status):
        case Status.SUBMITTING:
            uncertain(pk, why, now=now)
        case Status.PENDING:
            unsendable(pk, why, now=now)
        case Status.UNCERTAIN:
            _end_search(pk, why, now)
        case Status.IN_QUEUE | Status.IN_PROGRESS:
            unprocessed(pk, why, now=now)
        case Status.COMPLETED | Status.FAILED | Status.CANCELLED:
            unprocessed(pk, why, now=now)
        case unexpected:
            assert_never(unexpected)


def _end_search(pk: int, why: str, now: datetime) -> None:
    with transaction.atomic():
        row = locked(pk)
        note = f"{_sentence(why)} It is no longer looked for."
        record(row, row.status, "unanswered", note, Source.US, at=now, due_at=None)


def unsendable(pk: int, why: str, *, now: datetime, lease: UUID | None = None) -> None:
    """The row cannot be sent, and nothing of it was: it fails, so that it can be corrected."""
    with transaction.atomic():
        row = locked(pk)
        if row.status != Status.PENDING and (lease is None or row.lease != lease):
            return
        sentence = f"{_sentence(why)} Nothing was sent."
        columns = {"error": sentence, "error_type": ErrorType.NOT_SENDABLE, "sent_at": None}
        apply(row, Change(Status.FAILED, "ended", sentence, columns), Source.US, at=now)


def unprocessed(pk: int, why: str, *, now: datetime, result: Result | None = None) -> None:
    """What fal says of the row cannot be taken in: it fails, with the output as it came if there is one."""
    with transaction.atomic():
        row = locked(pk)
        if row.is_ended:
            FalRequest.objects.filter(pk=pk).update(due_at=None)
            return
        columns = {
            "queue_position": None,
            "error": _sentence(why),
            "error_type": ErrorType.NOT_PROCESSED,
        }
        rest = result.rest if result else None
        change = Change(Status.FAILED, "ended", _sentence(why), columns, rest=rest)
        # Not among the change's columns: nothing is derived from this output.
        apply(row, change, Source.US, at=now, **_output_of(result))


def _output_of(result: Result | None) -> dict[str, Any]:
    if result is None:
        return {}
    kind, size = result.content_type, result.size
    return {"output": result.body, "output_type": kind, "output_size": size}


def _sentence(why: str) -> str:
    return f"{why.rstrip('.')}."
