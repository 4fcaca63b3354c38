"""Add the journal up: new groups, counts by hour and user, and what comes again after it was resolved.

A team has at most `MOST_GROUPS` groups, an endpoint `MOST_OF_A_KIND` of one error type: a model that puts something
new into each sentence must not hide all else. Beyond that, failures are counted in a group for the rest of their
kind, in the end of the team, and their requests get its key.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from requests_app.error_groups.linking import hour_of
from requests_app.models import (
    ErrorDecision,
    ErrorGroup,
    ErrorHour,
    ErrorPerson,
    ErrorTally,
    FalRequest,
    GroupState,
)
from requests_app.rules.error_sentence import key_of

PIECE = 500  # entries of one transaction
MOST_GROUPS = 1000  # of a team
MOST_OF_A_KIND = 100  # of an endpoint and error type
KEEP_HOURS = timedelta(days=35)
KEEP_EMPTY = timedelta(days=90)  # decided groups, of which no request is left
_LOCK = 0x6572726F72  # of PostgreSQL, for the transaction: one process adds up

_Place = tuple[int, int]  # team and key
Counted = TypeVar("Counted", ErrorHour, ErrorPerson)


@dataclass
class Sum:
    """What entries of one group add up to."""

    count: int = 0
    first: datetime | None = None
    last: datetime | None = None
    hours: Counter[datetime] = field(default_factory=Counter)
    people: Counter[int] = field(default_factory=Counter)

    def add(self, one: ErrorTally) -> None:
        self.count += one.delta
        self.hours[hour_of(one.at)] += one.delta
        self.people[one.person_id] += one.delta
        if one.delta > 0:
            self.first = min(filter(None, (self.first, one.at)))
            self.last = max(filter(None, (self.last, one.last_at)))


def fold() -> int:
    """Add up the next entries of the journal; return how many."""
    if not ErrorTally.objects.exists():  # no lock for the usual answer
        return 0
    with transaction.atomic():
        if not _is_alone():
            return 0
        entries = list(ErrorTally.objects.order_by("pk")[:PIECE])
        groups = _groups_of(entries)
        sums: dict[int, Sum] = defaultdict(Sum)
        for one in entries:
            if group := groups.get((one.team_id, one.key)):
                sums[group.pk].add(one)
        found = {group.pk: group for group in groups.values()}
        _count_by(ErrorHour, "hour", _deltas(sums, "hours"))
        _count_by(ErrorPerson, "person_id", _deltas(sums, "people"))
        for pk, total in sums.items():
            _count(found[pk], total)
        ErrorTally.objects.filter(pk__in=[one.pk for one in entries]).delete()
        return len(entries)


def _is_alone() -> bool:
    if connection.vendor != "postgresql":
        return True  # the transaction has the whole database
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


# --- which group --------------------------------------------------------------------------------


def _groups_of(entries: Sequence[ErrorTally]) -> dict[_Place, ErrorGroup]:
    """Return the group of each entry, locked; those that are missing are made."""
    by_place: dict[_Place, list[ErrorTally]] = defaultdict(list)
    for one in entries:
        by_place[one.team_id, one.key].append(one)
    groups = _known({team for team, _ in by_place}, {key for _, key in by_place})
    for place, alike in by_place.items():
        if place not in groups and (group := _missing(alike)):
            groups[place] = group
    return {place: group for place, group in groups.items() if place in by_place}


def _known(teams: Iterable[int], keys: Iterable[int]) -> dict[_Place, ErrorGroup]:
    found = ErrorGroup.objects.select_for_update().filter(team__in=teams, key__in=keys)
    return {(group.team_id, group.key): group for group in found.order_by("pk")}


def _missing(alike: Sequence[ErrorTally]) -> ErrorGroup | None:
    """Make the group of these entries, or return the one for the rest; None: what was counted is gone."""
    [first, *_] = alike
    rests = _rests(first)
    failed = next((one for one in alike if one.delta > 0), None)
    if failed is None:
        keys = [key for key, _ in rests]
        mine = _known([first.team_id], keys)
        return next(
            (mine[first.team_id, key] for key in keys if (first.team_id, key) in mine), None
        )
    own = ErrorGroup.objects.filter(team=first.team_id, is_rest=False)
    of_kind = own.filter(endpoint_id=first.endpoint_id, error_type=first.error_type)
    total = own.count()
    if total < MOST_GROUPS and of_kind.count() < MOST_OF_A_KIND:
        return _made(failed, failed.key, failed.endpoint_id, failed.error_type, failed.sentence)
    key, columns = rests[0] if total < MOST_GROUPS else rests[1]
    FalRequest.objects.filter(team=first.team_id, error_key=first.key).update(error_key=key)
    known = _known([first.team_id], [key])
    return known.get((first.team_id, key)) or _made(failed, key, *columns, "", is_rest=True)


def _rests(one: ErrorTally) -> list[tuple[int, tuple[str, str]]]:
    """Return the keys of the rest of this kind, and of the team's, with endpoint and error type."""
    places = [(one.endpoint_id, one.error_type), ("", "")]
    return [(key_of(one.team_id, *place, "\0rest"), place) for place in places]


def _made(
    one: ErrorTally,
    key: int,
    endpoint_id: str,
    error_type: str,
    sentence: str,
    *,
    is_rest: bool = False,
) -> ErrorGroup:
    return ErrorGroup.objects.create(
        team_id=one.team_id, key=key, endpoint_id=endpoint_id, error_type=error_type, sentence=sentence,
        is_rest=is_rest, first_seen=one.at, last_seen=one.last_at,
    )  # fmt: skip


# --- counts -------------------------------------------------------------------------------------


def _deltas(sums: Mapping[int, Sum], of: str) -> dict[tuple[int, Any], int]:
    """Return what is added, by group and hour (or person)."""
    return {
        (pk, key): delta for pk, total in sums.items() for key, delta in getattr(total, of).items()
    }


def _count_by(model: type[Counted], name: str, deltas: dict[tuple[int, Any], int]) -> None:
    """Add to the counts of a model, by group and `name`; a count of nothing is deleted."""
    groups, values = {pk for pk, _ in deltas}, {value for _, value in deltas}
    found = model._default_manager.filter(group__in=groups, **{f"{name}__in": values})
    known = {(one.group_id, getattr(one, name)): one for one in found}
    fresh = []
    for (pk, value), delta in deltas.items():
        if one := known.get((pk, value)):
            one.count = max(0, one.count + delta)
        elif delta > 0:
            fresh.append(model(group_id=pk, count=delta, **{name: value}))
    changed = [one for place, one in known.items() if place in deltas]
    model._default_manager.bulk_update([one for one in changed if one.count], ["count"])
    model._default_manager.filter(pk__in=[one.pk for one in changed if not one.count]).delete()
    model._default_manager.bulk_create(fresh)


def _count(group: ErrorGroup, total: Sum) -> None:
    """Store the sum, unless nothing is left of a group on which nothing was decided."""
    group.count = max(0, group.count + total.count)
    is_forgotten = group.state == GroupState.OPEN and not group.decisions.exists()
    if not group.count and is_forgotten:
        group.delete()
        return
    group.people = ErrorPerson.objects.filter(group=group).count()
    if total.first and total.last:
        group.first_seen = min(group.first_seen, total.first)
        group.last_seen = max(group.last_seen, total.last)
        _reopen_if_again(group, total.last)
    group.save()


def _reopen_if_again(group: ErrorGroup, last: datetime) -> None:
    if group.state != GroupState.RESOLVED or not group.resolved_at or last <= group.resolved_at:
        return
    group.state, group.regressed_at = GroupState.OPEN, last
    ErrorDecision.objects.create(group=group, kind=ErrorDecision.Kind.REGRESSED, at=last)


def forget_old(now: datetime) -> None:
    """Delete counts of hours that no page shows any more, and decided groups of which no request is left."""
    ErrorHour.objects.filter(hour__lt=now - KEEP_HOURS).delete()
    waits = ErrorTally.objects.filter(team=OuterRef("team"), key=OuterRef("key"))
    empty = ErrorGroup.objects.filter(Q(count=0), ~Exists(waits), last_seen__lt=now - KEEP_EMPTY)
    empty.delete()
