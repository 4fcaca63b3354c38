"""Write the observation first, then the row, both in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from requests_app import announce
from requests_app.copies.noticing import may_have_media, note_outputs
from requests_app.display import summary
from requests_app.error_groups import linking
from requests_app.fal.reports import Rest
from requests_app.lifecycle.costs import costs_of
from requests_app.lifecycle.details import derived_start
from requests_app.models import (
    ENDED,
    LIVE,
    FalRequest,
    Mode,
    Observation,
    OutputPart,
    Source,
    Status,
)
from requests_app.overview import marks
from requests_app.rules import schedule
from requests_app.rules.storable import storable_columns
from requests_app.rules.transitions import Change, Picture
from requests_app.search.index import write_entries, write_first_entries

PART = 1024 * 1024  # bytes of a large output in memory at once

PICTURE = (
    "status", "fal_request_id", "queue_position", "finished_at", "started_at",
    "cancel_asked_at", "cancel_answer", "observed_at", "metrics", "team_id", "public_id",
    "error", "error_type", "error_code", "output_size", "payload_removed_at", "gateway_request_id",
    "created_at", "sent_at", "accepted_at", "ended_at", "mode", "seq", "endpoint_id", "person_id", "error_key",
    "fal_key_id", "cost",
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


def locked_many(pks: Collection[int]) -> dict[int, FalRequest]:
    """Lock rows, always in the same order: two transactions that lock several cannot block each other."""
    rows = FalRequest.objects.select_for_update().only(*PICTURE)
    return {row.pk: row for row in rows.filter(pk__in=pks).order_by("pk")}


@dataclass(frozen=True)
class HistoryEntry:
    """An observation to append, and the columns of its row that change with it."""

    row: FalRequest
    status: str
    kind: str
    note: str
    source: str
    asked_at: datetime
    heard_at: datetime
    data: dict[str, Any]
    columns: dict[str, Any]


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
    record_many([entry_of(row, change, source, at=at, now=now or timezone.now(), **columns)])
    if change.rest:
        keep_rest(row, change.rest)


def entry_of(
    row: FalRequest, change: Change, source: str, *, at: datetime, now: datetime, **columns: Any
) -> HistoryEntry:
    """Return what a change to a live row writes; a change with a `rest` needs `keep_rest` as well."""
    written = {**change.columns, **_times(row, change, source, now), **columns}
    if change.ends:
        written |= _end_columns(row, change, source, now)
    if source in (Source.POLL, Source.STATUS_STREAM):
        written["observed_at"] = at
    return HistoryEntry(
        row, change.status, change.kind, change.note, source, at, now, change.data, written
    )


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
    """Write one observation and its row."""
    heard_at = heard_at or timezone.now()
    record_many([HistoryEntry(row, status, kind, note, source, at, heard_at, data or {}, columns)])


def record_many(entries: Sequence[HistoryEntry]) -> None:
    """Write the observations, then the rows, whose version is the observation's id.

    An ended row keeps its status. What fails is linked to its group of errors. Billed units
    bring their cost, where fal's price is at hand.
    """
    linking.store(
        tally for entry in entries for tally in linking.link(entry.row, entry.status, entry.columns)
    )
    entries = [_with_cost(entry) for entry in entries]
    appended = _appended(entries)
    for entry, heard in zip(entries, appended, strict=True):
        entry.row.seq = heard.pk
    for alike in _alike(entries):
        _update(alike)
    _note_media(entries)
    announce.changed(*(entry.row for entry in entries))
    searched = [entry for entry in entries if _is_searched(entry)]
    write_first_entries([entry.row for entry in searched if _is_first(entry)])
    write_entries({entry.row.pk for entry in searched if not _is_first(entry)})
    marks.mark(entry.row for entry in entries if entry.kind == "created" or entry.status in ENDED)


def _with_cost(entry: HistoryEntry) -> HistoryEntry:
    columns = costs_of(entry.row, entry.columns, now=entry.heard_at)
    return replace(entry, columns={**entry.columns, **columns}) if columns else entry


def _note_media(entries: Sequence[HistoryEntry]) -> None:
    """Have the outputs of this moment searched for media, of teams that keep copies."""
    teams = {
        entry.row.pk: entry.row.team_id
        for entry in entries
        if may_have_media(entry.columns.get("output"))
    }
    note_outputs(teams, timezone.now())


# Kinds of observations after which a row has other words.
_WITH_WORDS = frozenset({"created", "imported", "removed", "tagged"})
_SEARCHED = frozenset({
    "ended_at", "output", "error", "fal_request_id", "gateway_request_id", "cost",
})  # fmt: skip


def _is_searched(entry: HistoryEntry) -> bool:
    """Return whether this changes what the row is found by. Logs are indexed when it has ended."""
    is_late_log = entry.kind == "logs" and entry.row.is_ended
    return is_late_log or entry.kind in _WITH_WORDS or not _SEARCHED.isdisjoint(entry.columns)


def _is_first(entry: HistoryEntry) -> bool:
    """Return whether the row was inserted as it is, in this transaction."""
    return entry.kind == "created" and not entry.columns


def _alike(entries: Sequence[HistoryEntry]) -> Iterable[list[HistoryEntry]]:
    """Group entries whose rows get the same values, in one order; of one row's entries each is alone."""
    if len({entry.row.pk for entry in entries}) < len(entries):
        return [[entry] for entry in entries]
    groups: dict[tuple[object, ...], list[HistoryEntry]] = defaultdict(list)
    for entry in entries:
        if entry.status in LIVE:  # an end has an output of its own
            is_new, columns = entry.status != entry.row.status, _own_columns(entry)
            key = entry.status, is_new, *columns, *map(repr, columns.values())
        else:
            key = (entry.row.pk,)
        groups[key].append(entry)
    return groups.values()


def _own_columns(entry: HistoryEntry) -> dict[str, Any]:
    """Return the columns without the time that the observation has as well."""
    columns = entry.columns
    if columns.get("observed_at") == entry.asked_at:
        return {name: value for name, value in columns.items() if name != "observed_at"}
    return columns


def _update(alike: Sequence[HistoryEntry]) -> None:
    """Write the rows of alike entries; several are one UPDATE that takes each row's own from its observation."""
    first, pks = alike[0], [entry.row.pk for entry in alike]
    rows = (
        FalRequest.objects.filter(pk__in=pks)
        if len(pks) > 1
        else FalRequest.objects.filter(pk=pks[0])
    )
    if first.status != first.row.status:
        rows = rows.filter(status__in=LIVE)
    if len(alike) == 1:
        own: dict[str, Any] = {"seq": first.row.seq, **storable_columns(FalRequest, first.columns)}
    else:
        newest = Observation.objects.filter(request=OuterRef("pk")).order_by("-pk")
        own = {"seq": Subquery(newest.values("pk")[:1])}
        if "observed_at" in first.columns:
            own["observed_at"] = Subquery(newest.values("asked_at")[:1])
        own = storable_columns(FalRequest, _own_columns(first)) | own
    rows.update(status=first.status, **own)


def _appended(entries: Sequence[HistoryEntry]) -> Sequence[Observation]:
    return Observation.append([
        Observation(
            request_id=entry.row.pk,
            kind=entry.kind,
            source=entry.source,
            status=entry.status,
            asked_at=entry.asked_at,
            heard_at=entry.heard_at,
            **storable_columns(Observation, {"note": entry.note, "data": entry.data}),
        )
        for entry in entries
    ])  # fmt: skip
