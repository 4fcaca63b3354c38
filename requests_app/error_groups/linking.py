"""The key of a failure, and its entry in the journal; called in the transaction that stores the failure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from requests_app.fal.error_bodies import parse_error
from requests_app.models import ErrorTally, ErrorType, FalRequest, Status
from requests_app.rules.error_sentence import fields_sentence, key_of, normalised
from requests_app.rules.storable import storable_text

INVALID_INPUT = 422
MOST_OF_BODY = 64 * 1024  # bytes of an answer in which refused fields are looked for
_GIVEN_UP = "A user gave up waiting."  # without the user's name
_TELLING = frozenset({"ended_at", "error", "error_type", "error_code"})


@dataclass(frozen=True)
class FailureKind:
    """What makes failures of a team alike."""

    team_id: int
    endpoint_id: str
    error_type: str
    sentence: str

    @property
    def key(self) -> int:
        return key_of(self.team_id, self.endpoint_id, self.error_type, self.sentence)


def kind_of(row: FalRequest, columns: Mapping[str, Any], body: bytes) -> FailureKind:
    """Return what a failure is. `columns` are about to be written; what they lack is the row's."""
    error, kind, code = (
        columns.get(name, getattr(row, name)) for name in ("error", "error_type", "error_code")
    )
    error_type = storable_text(str(kind or ""), 80)
    sentence = _GIVEN_UP
    if error_type != ErrorType.GIVEN_UP:
        sentence = _fields(body) if code == INVALID_INPUT else ""
        sentence = sentence or normalised(str(error or ""))
    return FailureKind(row.team_id, row.endpoint_id, error_type, sentence)


def _fields(body: bytes) -> str:
    if not body or len(body) > MOST_OF_BODY:
        return ""
    return fields_sentence(parse_error(INVALID_INPUT, {}, bytes(body)).fields)


def link(row: FalRequest, status: str, columns: dict[str, Any]) -> list[ErrorTally]:
    """Add the key of its group to the columns of a failure; return what belongs into the journal."""
    is_told = not _TELLING.isdisjoint(columns) or bool(columns.get("output"))
    if status != Status.FAILED or not is_told:
        return []
    code = columns.get("error_code", row.error_code)
    kind = kind_of(row, columns, _body(row, columns) if code == INVALID_INPUT else b"")
    before, row.error_key = row.error_key, kind.key
    if before == kind.key:
        return []
    columns["error_key"] = kind.key
    at = columns.get("ended_at") or row.ended_at or row.created_at
    entries = [entry(kind, row.person_id, at, +1)]
    if before is not None:  # another reason became known after the end
        entries.append(entry(kind, row.person_id, at, -1, key=before))
    return entries


def _body(row: FalRequest, columns: Mapping[str, Any]) -> bytes:
    if "output" in columns or not row.output_size or row.output_size > MOST_OF_BODY:
        return bytes(columns.get("output") or b"")
    return bytes(FalRequest.objects.values_list("output", flat=True).get(pk=row.pk) or b"")


def entry(
    kind: FailureKind, person_id: int, at: datetime, delta: int, *, key: int | None = None
) -> ErrorTally:
    """Return an entry of the journal, of another key if one is given."""
    return ErrorTally(
        team_id=kind.team_id,
        key=kind.key if key is None else key,
        endpoint_id=kind.endpoint_id,
        error_type=kind.error_type,
        sentence=kind.sentence,
        person_id=person_id,
        at=at,
        last_at=at,
        delta=delta,
    )


def store(entries: Iterable[ErrorTally]) -> None:
    """Append to the journal; entries of one group, user and hour become one."""
    joined: dict[tuple[object, ...], ErrorTally] = {}
    for one in entries:
        place = (one.team_id, one.key, one.person_id, hour_of(one.at), one.delta > 0)
        known = joined.setdefault(place, one)
        if known is not one:
            known.delta += one.delta
            known.at, known.last_at = min(known.at, one.at), max(known.last_at, one.last_at)
    if joined:
        ErrorTally.objects.bulk_create(joined.values())


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour, in UTC."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def uncount(pks: Collection[int]) -> None:
    """Take requests that are about to be deleted, in this transaction, out of their groups."""
    rows = FalRequest.objects.select_for_update().filter(pk__in=pks, error_key__isnull=False)
    store(
        entry(
            FailureKind(row.team_id, row.endpoint_id, row.error_type, ""),
            row.person_id, row.ended_at or row.created_at, -1, key=row.error_key,
        )
        for row in rows.order_by("pk").only(
            "team_id", "endpoint_id", "error_type", "person_id", "ended_at", "created_at", "error_key"
        )
    )  # fmt: skip
