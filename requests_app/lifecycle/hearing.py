"""Hearing: news about a request, from wherever it came."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from requests_app import announce
from requests_app.display import summary
from requests_app.fal.reports import Result, StatusReport, WebhookReport
from requests_app.lifecycle.details import details_of
from requests_app.lifecycle.writing import PICTURE, apply, keep_rest, locked, picture_of, record
from requests_app.loglines import add_logs, new_logs
from requests_app.models import FalRequest, Source
from requests_app.rules.late_word import late_word
from requests_app.rules.transitions import Change, News, agrees, decide


class Heard(StrEnum):
    """What a piece of news was to us."""

    NEWS = "news"
    KNOWN = "known"
    CONTRADICTION = "contradiction"  # the row had ended otherwise; kept as evidence


def observe(
    pk: int, news: News, *, source: str, asked_at: datetime, now: datetime | None = None
) -> Heard:
    """Store what fal said and move the row if it is news."""
    row = FalRequest.objects.only(*PICTURE).get(pk=pk)
    logs = isinstance(news, StatusReport) and _add_logs(pk, news, source, asked_at)
    is_news = logs or decide(picture_of(row), news) is not None or details_of(news, row).columns
    if not row.is_ended and not is_news:
        return Heard.KNOWN  # the usual poll: no lock taken, nothing written
    with transaction.atomic(savepoint=False):  # what fails here fails the caller's as well
        row = locked(pk)
        if row.is_ended:
            return _after_the_end(row, news, source=source, asked_at=asked_at)
        change = decide(picture_of(row), news)
        if change is None or _is_stale(row, change, asked_at):
            added = change is None and _complete(row, news, source=source, asked_at=asked_at)
            return Heard.NEWS if logs or added else Heard.KNOWN
        apply(row, change, source, at=asked_at, now=now or timezone.now())
        return Heard.NEWS


def _is_stale(row: FalRequest, change: Change, asked_at: datetime) -> bool:
    """A slow poll must not undo a newer one; an end always counts."""
    return (
        not change.ends
        and change.kind == "status"
        and row.observed_at is not None
        and asked_at < row.observed_at
    )


def _after_the_end(row: FalRequest, news: News, *, source: str, asked_at: datetime) -> Heard:
    """Ended states absorb; what is still unknown of them is completed."""
    added = _complete(row, news, source=source, asked_at=asked_at)
    if row.is_given_up:
        added = _evidence(row, news, source=source, asked_at=asked_at) or added
        return Heard.NEWS if added else Heard.KNOWN
    if agrees(row.status, news):
        return Heard.NEWS if added else Heard.KNOWN
    _contradicted(row, source, asked_at)
    return Heard.CONTRADICTION


def _complete(row: FalRequest, news: News, *, source: str, asked_at: datetime) -> bool:
    """Write what the news adds; False when it adds nothing."""
    details = details_of(news, row)
    columns = dict(details.columns)
    if "output" in columns:
        columns |= summary.of_output(columns)
    told_before = row.observations.filter(kind="details", source=source)
    if not columns and (not details.data or told_before.exists()):
        return False
    record(
        row, row.status, "details", details.note, source, at=asked_at, data=details.data, **columns
    )
    if details.rest:
        keep_rest(row, details.rest)
    return True


def _evidence(row: FalRequest, news: News, *, source: str, asked_at: datetime) -> bool:
    """What came to light of a request that was given up: told once, and fal is asked for the rest."""
    note = late_word(news)
    if not note or row.observations.filter(kind="evidence", note=note).exists():
        return False
    columns: dict[str, Any] = {}
    if not isinstance(news, StatusReport | Result):
        columns = {"due_at": timezone.now(), "tries": 0}
    record(row, row.status, "evidence", note, source, at=asked_at, **columns)
    if columns:
        announce.work(row.pk)
    return True


def _contradicted(row: FalRequest, source: str, asked_at: datetime) -> None:
    """Evidence once from each source: a poll that is repeated repeats its contradiction too."""
    if not row.observations.filter(kind="contradiction", source=source).exists():
        note = f"fal says otherwise now; the end stays {row.get_status_display()}."
        record(row, row.status, "contradiction", note, source, at=asked_at)


def cancel_answered(pk: int, kind: str, *, now: datetime) -> None:
    """fal's answer to a wish to cancel. It ends nothing: fal's status does."""
    with transaction.atomic():
        row = locked(pk)
        note = CANCEL_NOTES.get(kind, f"fal's answer to the cancellation was unclear ({kind}).")
        columns: dict[str, Any] = {"cancel_answer": kind}
        if not row.is_ended:
            columns["due_at"] = now
        record(row, row.status, "cancel_answer", note, Source.US, at=now, **columns)


CANCEL_NOTES = {
    "requested": "fal took the cancellation; a running model may still finish.",
    "removed": "fal removed it from the queue.",
    "already_completed": "fal says it had already finished.",
    "not_found": "fal does not know the request it should cancel.",
}


def _add_logs(pk: int, news: StatusReport, source: str, asked_at: datetime) -> bool:
    """Store new lines; False when there are none.

    Before the rest of the news, so that an end comes with its log, and in short transactions: while
    100,000 lines are written, others get their turn.
    """
    added = 0
    for lines in new_logs(pk, news.logs):
        with transaction.atomic():
            row = locked(pk)
            added += add_logs(pk, lines)
            record(row, row.status, "logs", "", source, at=asked_at, data={"added": len(lines)})
    return added > 0


def is_for_row(row: FalRequest, report: WebhookReport) -> bool:
    """Whether a webhook speaks of this very request (an unknown id is adopted)."""
    return row.fal_request_id in ("", report.request_id)
