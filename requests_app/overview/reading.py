"""The figures of a range of time, for a page and for the API: from roll-ups, and of the present minute from its requests."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from decimal import Decimal

from django.contrib.auth import get_user_model
from django.db.models import Count, Min, QuerySet, Sum

from requests_app.models import DAY, HOUR, LIVE, MINUTE, FalRequest, RollUp, RollUpProgress
from requests_app.overview.counting import ALL, counted
from requests_app.overview.histogram import Percentiles, percentiles
from requests_app.overview.spans import Range, Stretch, bars, floor, stretches
from requests_app.overview.tally import COUNTS, Ends, Tally
from requests_app.rules.money import money

UNKNOWN = -1  # no user has this key


@dataclass(frozen=True)
class Asked:
    """Which figures. `user_key`: of one user's requests alone; `endpoint_id`: of one endpoint alone."""

    team_id: int
    range: Range
    now: datetime
    zone: tzinfo
    endpoint_id: str = ""
    user_key: int = ALL

    @property
    def only(self) -> dict[str, str | int]:
        """The filters as they are asked of requests."""
        person = {"person_id": self.user_key} if self.user_key != ALL else {}
        return {**({"endpoint_id": self.endpoint_id} if self.endpoint_id else {}), **person}


def user_key_of(name: str) -> int:
    """Return which user's figures are asked for by this name; nothing is counted for a name that is none."""
    if not name:
        return ALL
    users = get_user_model()._default_manager.filter(username=name)
    key = users.values_list("pk", flat=True).first()
    return UNKNOWN if key is None else int(key)


@dataclass
class Bar:
    """The requests that were created in one span of time."""

    begin: datetime
    end: datetime
    ends: Ends = field(default_factory=Ends)


@dataclass(frozen=True)
class Cost:
    """Amounts by currency; `pending`: completed requests of which no cost is known (yet)."""

    amounts: dict[str, Decimal]
    pending: int

    @property
    def words(self) -> str:
        return " + ".join(money(amount, currency) for currency, amount in self.amounts.items())


@dataclass(frozen=True)
class EndpointFigures:
    """One endpoint. `queue`, `run`: of completed requests, as far as the times are known."""

    endpoint_id: str
    ends: Ends
    queue: Percentiles | None
    run: Percentiles | None
    cost: Cost


@dataclass(frozen=True)
class InFlight:
    """Requests of one status that have not ended."""

    status: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True)
class Overview:
    """All figures; lists begin with the most. `percent`: how much of the older history is counted."""

    range: Range
    bars: list[Bar]
    ends: Ends
    endpoints: list[EndpointFigures]
    failures: list[tuple[str, int]]
    people: list[tuple[str, int]]
    sources: list[tuple[str, int]]
    heard: list[tuple[str, int]]  # how ends were learnt
    in_flight: list[InFlight]
    cost: Cost
    percent: int

    @property
    def begin(self) -> datetime:
        return self.bars[0].begin

    @property
    def end(self) -> datetime:
        return self.bars[-1].end


def overview_of(asked: Asked) -> Overview:
    """Return the figures."""
    progress = RollUpProgress.objects.first()
    closed_until = progress.closed_until if progress else floor(asked.now, HOUR)
    begins = bars(asked.range, asked.now, asked.zone)
    drawn = _Drawn(begins, asked.now)
    by_endpoint = _tallies(asked, begins[0], closed_until, drawn)
    whole = Tally()
    for tally in by_endpoint.values():
        whole.add(tally)
    return Overview(
        range=asked.range,
        bars=drawn.bars,
        ends=whole.ends,
        endpoints=_endpoints(by_endpoint),
        failures=whole.failures.most_common(),
        people=_named(whole.people),
        sources=whole.sources.most_common(),
        heard=whole.heard.most_common(),
        in_flight=in_flight(asked),
        cost=_cost(whole),
        percent=progress.percent if progress else 0,
    )


class _Drawn:
    """The bars that are being filled."""

    def __init__(self, begins: list[datetime], now: datetime) -> None:
        ends = [*begins[1:], floor(now, MINUTE) + timedelta(seconds=MINUTE)]
        self._begins = begins
        self.bars = [Bar(begin, end) for begin, end in zip(begins, ends, strict=True)]

    def place(self, at: datetime) -> int:
        """Return the number of the bar of this time; -1 before the first."""
        return bisect_right(self._begins, at) - 1

    def add(self, at: datetime, counts: tuple[int, ...]) -> None:
        if (place := self.place(at)) >= 0:
            self.bars[place].ends.add(counts)


def _tallies(
    asked: Asked, begin: datetime, closed_until: datetime, drawn: _Drawn
) -> dict[str, Tally]:
    """Return the figures by endpoint, and draw them."""
    found: dict[str, Tally] = defaultdict(Tally)
    minute = floor(asked.now, MINUTE)
    for part in stretches(begin, minute, closed_until):
        rows = _stored(asked, part.seconds, part.begin, part.end)
        for at, endpoint, more, *counts in rows.values_list(
            "begins", "endpoint_id", "more", *COUNTS
        ):
            found[endpoint].add_stored(tuple(counts), more)
            drawn.add(_middle(at) if part.seconds == DAY else at, tuple(counts))
        if part.seconds == DAY:
            _move_hours(asked, part, drawn)
    late = asked.now + timedelta(minutes=1)  # clocks of several machines
    for (user, endpoint), tally in counted(asked.team_id, minute, late, **asked.only).items():
        if user == asked.user_key:
            found[endpoint].add(tally)
            drawn.add(minute, tally.ends.counts)
    return found


def _stored(asked: Asked, seconds: int, begin: datetime, end: datetime) -> QuerySet[RollUp]:
    rows = RollUp.objects.filter(
        team_id=asked.team_id,
        seconds=seconds,
        begins__gte=begin,
        begins__lt=end,
        user_key=asked.user_key,
    )
    return rows.filter(endpoint_id=asked.endpoint_id) if asked.endpoint_id else rows


def _middle(day: datetime) -> datetime:
    return day + timedelta(seconds=DAY / 2)


def _move_hours(asked: Asked, days: Stretch, drawn: _Drawn) -> None:
    """Draw the hours of these days of UTC that belong to another day of the reader's where they belong."""
    moved: dict[datetime, int] = {}  # where its day was drawn
    for day in _steps(days.begin, days.end, DAY):
        place = drawn.place(_middle(day))
        for at in _steps(day, day + timedelta(seconds=DAY), HOUR):
            if drawn.place(at) != place:
                moved[at] = place
    if not moved:
        return
    rows = _stored(asked, HOUR, days.begin, days.end).filter(begins__in=list(moved))
    by_hour = rows.order_by("begins").values("begins").annotate(*map(Sum, COUNTS))
    for at, *counts in by_hour.values_list("begins", *(f"{name}__sum" for name in COUNTS)):
        drawn.add(at, tuple(counts))
        drawn.bars[moved[at]].ends.add(tuple(-count for count in counts))


def _steps(begin: datetime, end: datetime, seconds: int) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += timedelta(seconds=seconds)


def _endpoints(found: dict[str, Tally]) -> list[EndpointFigures]:
    busiest = sorted(found.items(), key=lambda one: (-one[1].ends.total, one[0]))
    return [
        EndpointFigures(
            name,
            tally.ends,
            percentiles(tally.queue),
            percentiles(tally.run),
            _cost(tally),
        )
        for name, tally in busiest
        if tally.ends.total
    ]


def _cost(tally: Tally) -> Cost:
    return Cost(dict(tally.costs), max(tally.ends.completed - tally.priced, 0))


def _named(people: Counter[str]) -> list[tuple[str, int]]:
    names = dict(
        get_user_model()
        ._default_manager.filter(pk__in=map(int, people))
        .values_list("pk", "username")
    )
    return [(names.get(int(key), "?"), count) for key, count in people.most_common()]


def in_flight(asked: Asked) -> list[InFlight]:
    """Return what has not ended, by status, with the oldest of each."""
    rows = FalRequest.objects.filter(team_id=asked.team_id, status__in=sorted(LIVE), **asked.only)
    found = rows.order_by("status").values_list("status").annotate(Count("pk"), Min("pk"))
    oldest = {pk for _, _, pk in found}
    times = dict(FalRequest.objects.filter(pk__in=oldest).values_list("pk", "created_at"))
    return [InFlight(status, count, times[pk]) for status, count, pk in found if pk in times]
