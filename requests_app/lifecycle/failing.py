"""Unexpected failures of a row's step: back off, note them on the timeline, end the row at last."""

from __future__ import annotations

from datetime import datetime
from typing import Any, assert_never
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q

from requests_app.fal.reports import Result
from requests_app.lifecycle.asking import note_unanswered
from requests_app.lifecycle.sending import mark_uncertain
from requests_app.lifecycle.writing import apply, locked, record
from requests_app.models import ErrorType, FalRequest, Source, Status
from requests_app.models.request import FAILING_FROM
from requests_app.rules import schedule
from requests_app.rules.transitions import Change

TOLD_AT = FAILING_FROM  # about seven seconds
MOST_FAILURES = 20  # in a row, with their backoff: a quarter of an hour


def note_step_failed(pk: int, why: str, *, now: datetime) -> None:
    """Back off; note the third failure in a row; end the row after `MOST_FAILURES`.

    The backoff is one UPDATE that reads nothing of the row: it works whatever is odd in the row, so that
    the step is not retried at once.
    """
    free = FalRequest.objects.filter(Q(leased_until=None) | Q(leased_until__lt=now), pk=pk)
    found = free.exclude(due_at=None).values_list("tries", "status").first()
    if found is None:
        return
    tries, status = found[0] + 1, found[1]
    free.update(tries=F("tries") + 1, due_at=schedule.next_retry_at(now, tries))
    if tries == TOLD_AT:
        note_unanswered(pk, why, now=now)
    if tries >= MOST_FAILURES:
        _end(pk, status, why, now)


def _end(pk: int, status: str, why: str, now: datetime) -> None:
    match Status(status):
        case Status.SUBMITTING:
            mark_uncertain(pk, why, now=now)
        case Status.PENDING:
            fail_unsendable(pk, why, now=now)
        case Status.UNCERTAIN:
            _end_search(pk, why, now)
        case Status.IN_QUEUE | Status.IN_PROGRESS:
            fail_unprocessed(pk, why, now=now)
        case Status.COMPLETED | Status.FAILED | Status.CANCELLED:
            fail_unprocessed(pk, why, now=now)
        case unexpected:
            assert_never(unexpected)


def _end_search(pk: int, why: str, now: datetime) -> None:
    with transaction.atomic():
        row = locked(pk)
        note = f"{_sentence(why)} It is no longer looked for."
        record(row, row.status, "unanswered", note, Source.US, at=now, due_at=None)


def fail_unsendable(pk: int, why: str, *, now: datetime, lease: UUID | None = None) -> None:
    """End a row that cannot be sent, before anything of it was; the user can then correct it."""
    with transaction.atomic():
        row = locked(pk)
        if row.status != Status.PENDING and (lease is None or row.lease != lease):
            return
        sentence = f"{_sentence(why)} Nothing was sent."
        columns = {"error": sentence, "error_type": ErrorType.NOT_SENDABLE, "sent_at": None}
        apply(row, Change(Status.FAILED, "ended", sentence, columns), Source.US, at=now)


def fail_unprocessed(pk: int, why: str, *, now: datetime, result: Result | None = None) -> None:
    """End a row whose report from fal cannot be processed, with the raw output if there is one."""
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
        # Not in the change's columns, so that nothing is derived from this output.
        apply(row, change, Source.US, at=now, **_output_of(result))


def _output_of(result: Result | None) -> dict[str, Any]:
    if result is None:
        return {}
    kind, size = result.content_type, result.size
    return {
        "output": result.body,
        "output_type": kind,
        "output_size": size,
        "billable_units": result.billable_units,
    }


def _sentence(why: str) -> str:
    return f"{why.rstrip('.')}."
