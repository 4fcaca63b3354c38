"""Store reports about a request: replies, polls, webhooks and streams take the same way."""

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
from requests_app.lifecycle.log_lines import add_logs, new_logs
from requests_app.lifecycle.writing import PICTURE, apply, keep_rest, locked, picture_of, record
from requests_app.models import FalRequest, Source
from requests_app.rules.late_word import late_word
from requests_app.rules.transitions import Change, News, agrees, decide


class Effect(StrEnum):
    """What a report changed: NEWS was stored, KNOWN was not new."""

    NEWS = "news"
    KNOWN = "known"
    CONTRADICTION = "contradiction"  # the row had ended otherwise; kept as evidence


def observe(
    pk: int, news: News, *, source: str, asked_at: datetime, now: datetime | None = None
) -> Effect:
    """Store a report and update the row if the report is news."""
    row = FalRequest.objects.only(*PICTURE).get(pk=pk)
    logs = isinstance(news, StatusReport) and _add_logs(pk, news, source, asked_at)
    is_news = logs or decide(picture_of(row), news) is not None or details_of(news, row).columns
    if not row.is_ended and not is_news:
        return Effect.KNOWN  # the usual poll: takes no lock, writes nothing
    with transaction.atomic(savepoint=False):  # an error here fails the caller's transaction too
        row = locked(pk)
        if row.is_ended:
            return _after_the_end(row, news, source=source, asked_at=asked_at)
        change = decide(picture_of(row), news)
        if change is None or _is_stale(row, change, asked_at):
            added = change is None and _complete(row, news, source=source, asked_at=asked_at)
            return Effect.NEWS if logs or added else Effect.KNOWN
        apply(row, change, source, at=asked_at, now=now or timezone.now())
        return Effect.NEWS


def _is_stale(row: FalRequest, change: Change, asked_at: datetime) -> bool:
    """Return whether a newer poll has been stored already; an end is never stale."""
    return (
        not change.ends
        and change.kind == "status"
        and row.observed_at is not None
        and asked_at < row.observed_at
    )


def _after_the_end(row: FalRequest, news: News, *, source: str, asked_at: datetime) -> Effect:
    """Leave the status of an ended row; fill in missing details, and note contradictions."""
    added = _complete(row, news, source=source, asked_at=asked_at)
    if row.is_given_up:
        added = _evidence(row, news, source=source, asked_at=asked_at) or added
        return Effect.NEWS if added else Effect.KNOWN
    if agrees(row.status, news):
        return Effect.NEWS if added else Effect.KNOWN
    _contradicted(row, source, asked_at)
    return Effect.CONTRADICTION


def _complete(row: FalRequest, news: News, *, source: str, asked_at: datetime) -> bool:
    """Store the details that a report adds; return False when it adds none."""
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
    """Note once what a report says of a request that was given up, and poll fal for the rest."""
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
    """Note a contradiction once per source: each later poll would repeat it."""
    if not row.observations.filter(kind="contradiction", source=source).exists():
        note = f"fal says otherwise now; the end stays {row.get_status_display()}."
        record(row, row.status, "contradiction", note, source, at=asked_at)


def note_cancel_answer(pk: int, kind: str, *, now: datetime) -> None:
    """Store fal's answer to a cancel. It does not end the row; fal's status does."""
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
    """Store new log lines; return False when there are none.

    Called before the rest of the report is stored, so that an end has its log. The transactions are short,
    so that 100,000 lines do not block other writers.
    """
    added = 0
    for lines in new_logs(pk, news.logs):
        with transaction.atomic():
            row = locked(pk)
            added += add_logs(pk, lines)
            record(row, row.status, "logs", "", source, at=asked_at, data={"added": len(lines)})
    return added > 0


def is_for_row(row: FalRequest, report: WebhookReport) -> bool:
    """Return whether a webhook is about this request; a row without an id adopts the webhook's."""
    return row.fal_request_id in ("", report.request_id)
