"""Write the observation first, then the row, both in the caller's transaction."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from requests_app import announce
from requests_app.display import summary
from requests_app.fal.reports import Rest
from requests_app.lifecycle.details import derived_start
from requests_app.models import (
    LIVE,
    FalRequest,
    Mode,
    Observation,
    OutputPart,
    Source,
    Status,
)
from requests_app.rules import schedule
from requests_app.rules.storable import storable_columns
from requests_app.rules.transitions import Change, Picture

PART = 1024 * 1024  # bytes of a large output in memory at once

PICTURE = (
    "status", "fal_request_id", "queue_position", "finished_at", "started_at",
    "cancel_asked_at", "cancel_answer", "observed_at", "metrics", "team_id", "public_id",
    "error", "error_type", "error_code", "output_size", "payload_removed_at", "gateway_request_id",
    "created_at", "sent_at", "accepted_at", "ended_at",
)  # fmt: skip


def picture_of(row: FalRequest) -> Picture:
    """Return what `decide` needs to know of a row."""
    return Picture(
        status=row.status,
        fal_request_id=row.fal_request_id,
        queue_position=row.queue_position,
        finished=row.finished_at is not None,
        cancel_asked=row.cancel_asked_at is not None,
        cancel_answer=row.cancel_answer,
    )


def locked(pk: int) -> FalRequest:
    """Lock the row until the transaction ends (on SQLite IMMEDIATE locks the whole database)."""
    return FalRequest.objects.select_for_update().without_payload().get(pk=pk)


def apply(
    row: FalRequest,
    change: Change,
    source: str,
    *,
    at: datetime,
    now: datetime | None = None,
    **columns: Any,
) -> None:
    """Write the observation and the columns of a change to a live row."""
    heard_at = now or timezone.now()
    written = {**change.columns, **_times(row, change, source, heard_at), **columns}
    if change.ends:
        written |= _end_columns(row, change, source, heard_at)
    if source in (Source.POLL, Source.STATUS_STREAM):
        written["observed_at"] = at
    record(
        row,
        change.status,
        change.kind,
        change.note,
        source,
        at=at,
        data=change.data,
        heard_at=heard_at,
        **written,
    )
    if change.rest:
        keep_rest(row, change.rest)


def keep_rest(row: FalRequest, rest: Rest) -> None:
    for number, data in enumerate(rest.pieces(PART), 1):
        OutputPart.objects.create(request=row, number=number, data=data)


def _times(row: FalRequest, change: Change, source: str, now: datetime) -> dict[str, Any]:
    times: dict[str, Any] = {}
    if change.kind == "accepted" and row.accepted_at is None:
        times |= {
            "accepted_at": now,
            "due_at": now + timedelta(seconds=schedule.SOONEST_S),
            "lease": None,
            "leased_until": None,
            "tries": 0,
        }
    if change.starts and row.started_at is None:
        times["started_at"] = now
    if change.finishes and row.finished_at is None:
        times["finished_at"] = now
        times |= derived_start(row, change.columns.get("metrics", {}), now)
        if source != Source.POLL:  # the poller fetches the result itself, in the same step
            times["due_at"] = now
    if row.status == Status.UNCERTAIN and not change.ends:
        times.setdefault("due_at", now)  # it was lost and is found: poll it
    return times


def _end_columns(row: FalRequest, change: Change, source: str, now: datetime) -> dict[str, Any]:
    """Return the columns of an end; an end from a webhook needs one more poll for logs and metrics."""
    has_address = row.fal_request_id or change.columns.get("fal_request_id")
    aftercare = source == Source.WEBHOOK and row.mode == Mode.QUEUE and bool(has_address)
    return {
        "ended_at": now,
        "due_at": now if aftercare else None,
        "lease": None,
        "leased_until": None,
        "tries": 0,
        **summary.of_output(change.columns),
    }


def record(
    row: FalRequest,
    status: str,
    kind: str,
    note: str,
    source: str,
    *,
    at: datetime,
    data: dict[str, Any] | None = None,
    heard_at: datetime | None = None,
    **columns: Any,
) -> None:
    """Write the observation, then the row, whose version is the observation's id.

    An ended row keeps its status.
    """
    heard = Observation.record(
        row.pk,
        kind=kind,
        source=source,
        status=status,
        at=at,
        heard_at=heard_at or timezone.now(),
        **storable_columns(Observation, {"note": note, "data": data or {}}),
    )
    rows = FalRequest.objects.filter(pk=row.pk)
    if status != row.status:
        rows = rows.filter(status__in=LIVE)
    rows.update(seq=heard.pk, status=status, **storable_columns(FalRequest, columns))
    announce.changed(row, heard.pk)
