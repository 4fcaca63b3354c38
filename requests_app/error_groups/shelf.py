"""A team's groups of errors: filtered, in an order, a page at a time, with their trends."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, QuerySet, Sum

from requests_app.error_groups.linking import hour_of
from requests_app.models import ErrorGroup, ErrorHour, ErrorPerson, FalRequest, GroupState, Team
from requests_app.models.request import FalRequestQuerySet
from requests_app.rules.error_sentence import id_of, key_in
from requests_app.rules.storable import storable_text

PAGE = 25
ORDERS = {
    "": ("Last seen", "-last_seen"),
    "count": ("Most requests", "-count"),
    "people": ("Most people", "-people"),
}
DAYS = {"1": "Last day", "7": "Last 7 days", "30": "Last 30 days"}
ANY = "all"
DAY, WEEK = timedelta(days=1), timedelta(days=7)
_NUMBERED = re.compile(r"n[0-9]{1,18}", re.ASCII)


@dataclass(frozen=True)
class GroupFilters:
    """What of the groups is asked for; an empty text asks for everything."""

    state: str = GroupState.OPEN
    endpoint: str = ""
    kind: str = ""
    by: str = ""
    days: str = ""
    sort: str = ""
    page: int = 1

    @classmethod
    def of(cls, asked: Mapping[str, str]) -> GroupFilters:
        """Read a query string; what it does not know it takes as not asked."""
        state, page = asked.get("state", ""), asked.get("page", "")
        return cls(
            state=state if state in (*GroupState.values, ANY) else GroupState.OPEN,
            endpoint=asked.get("endpoint", "").strip()[:300],
            kind=asked.get("type", "").strip()[:80],
            by=asked.get("by", "").strip()[:150],
            days=days if (days := asked.get("days", "")) in DAYS else "",
            sort=sort if (sort := asked.get("sort", "")) in ORDERS else "",
            page=int(page) if page.isascii() and page.isdecimal() and 0 < len(page) < 5 else 1,
        )

    def query(self, **changed: Any) -> dict[str, str]:
        """Return the parameters of the same, or of a changed, page without those that are usual."""
        told = {
            "state": "" if self.state == GroupState.OPEN else self.state, "endpoint": self.endpoint,
            "type": self.kind, "by": self.by, "days": self.days, "sort": self.sort, "page": "",
        } | changed  # fmt: skip
        return {name: str(value) for name, value in told.items() if value}

    @property
    def narrows(self) -> bool:
        """Whether anything but the state is asked for."""
        return bool(self.endpoint or self.kind or self.by or self.days)


@dataclass
class GroupShelf:
    """The groups of one team."""

    team: Team
    now: datetime
    asked: GroupFilters = field(default_factory=GroupFilters)
    sees: bool = True  # inputs and outputs

    @property
    def all(self) -> QuerySet[ErrorGroup]:
        return ErrorGroup.objects.filter(team=self.team)

    @property
    def fitting(self) -> QuerySet[ErrorGroup]:
        """Return what fits the filters, in any state."""
        found, asked = self.all, self.asked
        if asked.endpoint:
            found = found.filter(endpoint_id=storable_text(asked.endpoint))
        if asked.kind:
            found = found.filter(error_type=storable_text(asked.kind))
        if asked.by:
            whose = ErrorPerson.objects.filter(person__username=storable_text(asked.by))
            found = found.filter(pk__in=whose.values("group"))
        if asked.days:
            found = found.filter(last_seen__gte=self.now - timedelta(days=int(asked.days)))
        return found

    def states(self) -> dict[str, int]:
        """Return how many groups that fit the filters each state has, and all of them."""
        counted = self.fitting.order_by().values_list("state").annotate(count=Count("pk"))
        by_state = dict(counted)
        return {ANY: sum(by_state.values()), **{one: by_state.get(one, 0) for one in GroupState}}

    def page(self, size: int = PAGE) -> tuple[list[ErrorGroup], bool]:
        """Return the groups of the page that is asked for, and whether there are more."""
        found = self.fitting
        if self.asked.state != ANY:
            found = found.filter(state=self.asked.state)
        first = (self.asked.page - 1) * size
        ordered = found.order_by(ORDERS[self.asked.sort][1], "-pk").select_related("resolved_by")
        some = list(ordered[first : first + size + 1])
        for group in some if not self.sees else ():
            group.hide()
        return some[:size], len(some) > size

    def endpoints(self) -> list[str]:
        """Return the endpoints that have groups."""
        return self._values("endpoint_id")

    def kinds(self) -> list[str]:
        """Return the error types that have groups."""
        return self._values("error_type")

    def _values(self, column: str) -> list[str]:
        named = self.all.exclude(**{column: ""}).order_by(column)
        return list(named.values_list(column, flat=True).distinct())


def requests_of(group: ErrorGroup) -> FalRequestQuerySet:
    """Return the requests of a group that are kept."""
    return FalRequest.objects.filter(team=group.team_id, error_key=group.key)


def name_of(group: ErrorGroup) -> str:
    """Return what stands for a group in addresses.

    Its id is a digest of its sentence, which may quote an input: guesses could be tried at it. A member who may not
    see inputs gets the group's number instead.
    """
    return f"n{group.pk}" if group.is_hidden else id_of(group.key)


def find_group(team_pk: int, name: str, *, sees: bool) -> ErrorGroup | None:
    """Return the team's group of this id or number; a member who may not see inputs has to give its number."""
    mine = ErrorGroup.objects.filter(team=team_pk).select_related("resolved_by", "team")
    if _NUMBERED.fullmatch(name):
        found = mine.filter(pk=int(name[1:])).first()
    else:
        key = key_in(name) if sees else None
        found = None if key is None else mine.filter(key=key).first()
    if found and not sees:
        found.hide()
    return found


# --- trends -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Trend:
    """Failures of a group by parts of the time up to now, oldest first."""

    starts: tuple[datetime, ...]
    counts: tuple[int, ...]
    day: int  # in the last 24 hours
    week: int  # in the last 7 days

    @property
    def total(self) -> int:
        return sum(self.counts)

    @property
    def parts(self) -> list[tuple[datetime, int]]:
        """Return each part with its count."""
        return list(zip(self.starts, self.counts, strict=True))


def trends(
    groups: Iterable[ErrorGroup], now: datetime, *, part: timedelta, parts: int
) -> dict[int, Trend]:
    """Return the trend of each group, by one query. Parts begin on the hour."""
    end = hour_of(now) + timedelta(hours=1)
    starts = tuple(end - part * number for number in range(parts, 0, -1))
    since = min(starts[0], end - WEEK)
    hours: dict[int, list[tuple[datetime, int]]] = defaultdict(list)
    pks = [group.pk for group in groups]
    counted = ErrorHour.objects.filter(group__in=pks, hour__gte=since)
    for pk, hour, count in counted.values_list("group", "hour", "count"):
        hours[pk].append((hour, count))
    return {pk: _trend(hours[pk], starts, part, end) for pk in pks}


def _trend(
    hours: Iterable[tuple[datetime, int]],
    starts: tuple[datetime, ...],
    part: timedelta,
    end: datetime,
) -> Trend:
    counts, day, week = [0] * len(starts), 0, 0
    for hour, count in hours:
        if hour >= starts[0]:
            counts[min((hour - starts[0]) // part, len(starts) - 1)] += count
        day += count if hour >= end - DAY else 0
        week += count if hour >= end - WEEK else 0
    return Trend(starts, tuple(counts), day, week)


@dataclass(frozen=True)
class AlikeFailures:
    """What the page of a failed request says of others; `week`: how many in 7 days, 0 until they are counted."""

    id: str
    week: int
    group: ErrorGroup | None


def group_of_row(row: FalRequest, now: datetime) -> AlikeFailures | None:
    """Return the group of a failed request; None when it has none."""
    if row.error_key is None:
        return None
    group = ErrorGroup.objects.filter(team=row.team_id, key=row.error_key).first()
    since = hour_of(now) + timedelta(hours=1) - WEEK
    counted = ErrorHour.objects.filter(group=group, hour__gte=since) if group else None
    week = counted.aggregate(sum=Sum("count"))["sum"] or 0 if counted is not None else 0
    return AlikeFailures(id_of(row.error_key), week, group)
