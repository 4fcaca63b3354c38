"""Hearing: news about a request, from wherever it came."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.utils import timezone

from requests_app.fal.reports import Receipt, StatusReport, WebhookReport
from requests_app.lifecycle.writing import PICTURE, apply, locked, picture_of, record
from requests_app.loglines import add_logs, new_logs
from requests_app.models import FalRequest, Source
from requests_app.rules.transitions import Change, News, agrees, decide, identity_of


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
    if not row.is_ended and not logs and decide(picture_of(row), news) is None:
        return Heard.KNOWN  # the usual poll: no lock taken, nothing written
    with transaction.atomic(savepoint=False):  # what fails here fails the caller's as well
        row = locked(pk)
        if row.is_ended:
            return _after_the_end(row, news, source=source, asked_at=asked_at)
        change = decide(picture_of(row), news)
        if change is None or _is_stale(row, change, asked_at):
            return Heard.NEWS if logs else Heard.KNOWN
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
    """Ended states absorb; a receipt still completes the row's identity, a status its metrics."""
    columns, note = _details(row, news)
    if columns:
        record(row, row.status, "details", note, source, at=asked_at, **columns)
    if agrees(row.status, news):
        return Heard.NEWS if columns else Heard.KNOWN
    _contradicted(row, source, asked_at)
    return Heard.CONTRADICTION


def _details(row: FalRequest, news: News) -> tuple[dict[str, Any], str]:
    """What news after the end still adds, and the sentence for the timeline."""
    if isinstance(news, Receipt):
        accepted_at = row.accepted_at or timezone.now()
        columns = identity_of(news) | {"accepted_at": accepted_at}
        return columns, "fal's reply to the submit came after the end."
    if isinstance(news, StatusReport) and news.metrics and not row.metrics:
        return {"metrics": news.metrics}, "Metrics were fetched after the end."
    return {}, ""


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
