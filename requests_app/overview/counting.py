"""Requests -> tallies, by user and endpoint. The only place that says what of a request counts as what."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import OuterRef, Subquery

from requests_app.models import (
    ENDED,
    ErrorType,
    FalRequest,
    Mode,
    Observation,
    RequestOrigin,
    Status,
)
from requests_app.models.request import blames_input
from requests_app.overview.histogram import bin_of
from requests_app.overview.tally import Tally

ALL = 0  # instead of a user's key: of all users
MOST_TYPE = 80  # characters of an error type
UNTOLD = "untold"  # instead of an error type or an origin that is not known

# Failures that this side or the line caused; every other one that is not the input's is fal's or the model's.
OURS = frozenset({
    ErrorType.GIVEN_UP, ErrorType.HUNG_UP, ErrorType.INTERRUPTED, ErrorType.UNREACHABLE,
    ErrorType.NOT_SENDABLE, ErrorType.NOT_PROCESSED, ErrorType.OUTPUT_TOO_LARGE, ErrorType.EVENT_TOO_LARGE,
    ErrorType.RESULT_EXPIRED,
})  # fmt: skip
OUR_CODES = frozenset({401, 403, 499})  # key, balance or permission; a caller that hung up

Tallies = dict[tuple[int, str], Tally]

_COLUMNS = (
    "created_at", "person_id", "endpoint_id", "mode", "status", "error_type", "error_code", "cost", "cost_currency", "sent_at",
    "accepted_at", "started_at", "ended_at", "origin", "heard",
)  # fmt: skip
_HEARD = Subquery(  # the source of the observation that ended the request
    Observation.objects.filter(request=OuterRef("pk"), status__in=sorted(ENDED))
    .order_by("pk")
    .values("source")[:1]
)


def counted(team_id: int, begin: datetime, end: datetime, **only: Any) -> Tallies:
    """Count the team's requests that were created in between: by user and endpoint, and of all users."""
    rows = FalRequest.objects.filter(
        team_id=team_id, created_at__gte=begin, created_at__lt=end, **only
    )
    length = int((end - begin).total_seconds()) + 1
    return next(iter(_count(rows, begin, length).values()), {})


def counted_spans(
    team_id: int, begin: datetime, end: datetime, seconds: int
) -> dict[datetime, Tallies]:
    """Count by spans of so many seconds, in one query; spans without requests are left out."""
    rows = FalRequest.objects.filter(team_id=team_id, created_at__gte=begin, created_at__lt=end)
    return _count(rows, begin, seconds)


def counted_one(row: FalRequest) -> Tallies:
    """Count one request."""
    found = _count(FalRequest.objects.filter(pk=row.pk), row.created_at, 1)
    return found.get(row.created_at, {})


def _count(rows: Any, begin: datetime, seconds: int) -> dict[datetime, Tallies]:
    found: dict[int, Tallies] = defaultdict(lambda: defaultdict(Tally))
    told = rows.annotate(heard=_HEARD).values_list(*_COLUMNS)
    for created, person, endpoint, *facts in told.iterator():
        if facts[-2] == RequestOrigin.IMPORTED:  # it ran elsewhere, at another time
            continue
        tallies = found[int((created - begin).total_seconds()) // seconds]
        for user in (ALL, person):
            _add(tallies[user, endpoint], person, *facts)
    return {
        begin + timedelta(seconds=number * seconds): dict(tallies)
        for number, tallies in found.items()
    }


def _add(
    tally: Tally, person: int, mode: str, status: str, error_type: str, error_code: int | None,
    cost: Decimal | None, currency: str | None, sent: datetime | None, accepted: datetime | None, started: datetime | None,
    ended: datetime | None, origin: str | None, heard: str | None,
) -> None:  # fmt: skip
    ends = tally.ends
    ends.total += 1
    tally.people[str(person)] += 1
    tally.sources[origin or UNTOLD] += 1
    if heard:
        tally.heard[heard] += 1
    if cost is not None:
        tally.costs[currency or ""] += cost
        tally.priced += 1
    if status == Status.COMPLETED:
        ends.completed += 1
        _add_times(tally, mode, sent, accepted, started, ended)
    elif status == Status.CANCELLED:
        ends.cancelled += 1
    elif status == Status.FAILED:
        kind = fault_of(error_type, error_code)
        setattr(ends, kind, getattr(ends, kind) + 1)
        tally.failures[error_type[:MOST_TYPE] or UNTOLD] += 1


def _add_times(
    tally: Tally, mode: str, sent: datetime | None, accepted: datetime | None,
    started: datetime | None, ended: datetime | None,
) -> None:  # fmt: skip
    """Count how long a completed request waited and ran; a session lasts as one likes."""
    if mode == Mode.REALTIME:
        return
    # Two clocks may disagree by a moment.
    if mode == Mode.QUEUE and accepted and started:
        tally.queue[bin_of(max((started - accepted).total_seconds(), 0.0))] += 1
    began = started if started or mode == Mode.QUEUE else sent
    if began and ended:
        tally.run[bin_of(max((ended - began).total_seconds(), 0.0))] += 1


def fault_of(error_type: str, error_code: int | None) -> str:
    """Return which count of `Ends` a failed request belongs to."""
    if blames_input(error_type, error_code):
        return "mistakes"
    return "own_faults" if error_type in OURS or error_code in OUR_CODES else "faults"
