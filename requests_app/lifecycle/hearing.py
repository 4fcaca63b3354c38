"""Store reports about a request: replies, polls, webhooks and streams take the same way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from requests_app.lifecycle.writing import (
    PICTURE,
    apply,
    entry_of,
    keep_rest,
    locked,
    locked_many,
    picture_of,
    record,
    record_many,
)
from requests_app.models import FalRequest, Source
from requests_app.rules.late_word import late_word
from requests_app.rules.transitions import Change, News, agrees, decide


class Effect(StrEnum):
    """What a report changed: NEWS was stored, KNOWN was not new."""

    NEWS = "news"
    KNOWN = "known"
    CONTRADICTION = "contradiction"  # the row had ended otherwise; kept as evidence


@dataclass(frozen=True)
class RowReport:
    """News of one request: where it came from, and when it was asked for.

    `seen` is the row as its poller has loaded it, to compare a status with; without it it is loaded.
    """

    pk: int
    news: News
    source: str
    asked_at: datetime
    seen: FalRequest | None = None


@dataclass(frozen=True)
class Heard:
    """What became of a report, and the row's version afterwards (None: it was not locked)."""

    effect: Effect
    seq: int | None = None


def brings_news(row: FalRequest, report: StatusReport) -> bool:
    """Return False when the row as it is in memory has all that the report says. No database is asked."""
    if row.is_ended or report.is_completed or report.logs:
        return True
    return decide(picture_of(row), report) is not None


def observe(
    pk: int, news: News, *, source: str, asked_at: datetime, now: datetime | None = None
) -> Effect:
    """Store a report and update the row if the report is news."""
    report = RowReport(pk, news, source, asked_at)
    logs = _add_logs(report)
    if not logs and _is_known(FalRequest.objects.only(*PICTURE).get(pk=pk), news):
        return Effect.KNOWN
    with transaction.atomic(savepoint=False):  # an error here fails the caller's transaction too
        return _store(locked(pk), report, logs=logs, now=now or timezone.now())


def observe_many(reports: Sequence[RowReport]) -> list[Heard]:
    """Store reports, each as `observe` does, but all in one transaction: all of them or none.

    Log lines are stored before, in transactions of their own. For small reports: a large output would keep
    the other rows locked.
    """
    pks = [report.pk for report in reports]
    if len(set(pks)) < len(pks):  # the second report of a row must see what the first has changed
        return [
            Heard(observe(report.pk, report.news, source=report.source, asked_at=report.asked_at))
            for report in reports
        ]
    logs = [_add_logs(report) for report in reports]
    heard = [Heard(Effect.KNOWN)] * len(reports)
    if fresh := _fresh(reports, logs):
        with transaction.atomic():
            now, locked_rows = timezone.now(), locked_many([pks[number] for number in fresh])
            entries = []
            for number in fresh:
                row, report = locked_rows[pks[number]], reports[number]
                if change := _change_of(row, report):
                    source, at = report.source, report.asked_at
                    entries.append(entry_of(row, change, source, at=at, now=now))
                    effect = Effect.NEWS
                else:
                    effect = _store(row, report, logs=logs[number], now=now)
                heard[number] = Heard(effect)
            record_many(entries)
            for number in fresh:
                heard[number] = Heard(heard[number].effect, locked_rows[pks[number]].seq)
    return heard


def _fresh(reports: Sequence[RowReport], logs: Sequence[bool]) -> list[int]:
    """Return the numbers of the reports that need a lock: all but a status that is known."""
    unseen = [
        report.pk
        for report, added in zip(reports, logs, strict=True)
        if _may_be_known(report, added) and not report.seen
    ]
    rows = FalRequest.objects.only(*PICTURE).in_bulk(unseen) if unseen else {}
    return [
        number
        for number, report in enumerate(reports)
        if not _may_be_known(report, logs[number])
        or not _is_known(report.seen or rows[report.pk], report.news)
    ]


def _may_be_known(report: RowReport, added: bool) -> bool:  # noqa: FBT001
    return isinstance(report.news, StatusReport) and not added


def _change_of(row: FalRequest, report: RowReport) -> Change | None:
    """Return the change of a live row that one observation and one UPDATE store."""
    change = None if row.is_ended else decide(picture_of(row), report.news)
    is_one = change and not change.rest and not _is_stale(row, change, report.asked_at)
    return change if is_one else None


def _is_known(row: FalRequest, news: News) -> bool:
    """Return whether an open row needs no write: the usual poll takes no lock."""
    return not (
        row.is_ended or decide(picture_of(row), news) is not None or details_of(news, row).columns
    )


def _store(row: FalRequest, report: RowReport, *, logs: bool, now: datetime) -> Effect:
    news, source, asked_at = report.news, report.source, report.asked_at
    if row.is_ended:
        return _after_the_end(row, news, source=source, asked_at=asked_at)
    change = decide(picture_of(row), news)
    if change is None or _is_stale(row, change, asked_at):
        added = change is None and _complete(row, news, source=source, asked_at=asked_at)
        return Effect.NEWS if logs or added else Effect.KNOWN
    apply(row, change, source, at=asked_at, now=now)
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
    if row.payload_removed_at is not None:
        return False
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


def _add_logs(report: RowReport) -> bool:
    """Store new log lines; return False when there are none.

    Called before the rest of the report is stored, so that an end has its log. The transactions are short,
    so that 100,000 lines do not block other writers.
    """
    if not isinstance(report.news, StatusReport):
        return False
    added = 0
    for lines in new_logs(report.pk, report.news.logs):
        with transaction.atomic():
            row = locked(report.pk)
            if row.payload_removed_at is not None:
                return False
            added += add_logs(report.pk, lines)
            record(
                row, row.status, "logs", "", report.source,
                at=report.asked_at, data={"added": len(lines)},
            )  # fmt: skip
    return added > 0


def is_for_row(row: FalRequest, report: WebhookReport) -> bool:
    """Return whether a webhook is about this request; a row without an id adopts the webhook's."""
    return row.fal_request_id in ("", report.request_id)
