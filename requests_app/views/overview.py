"""The overview of a team's requests: the page, and what of it changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app.display.timeline import SOURCE_WORDS
from requests_app.display.times import LOCAL, TimeStyle, known_zones
from requests_app.models import FalRequest, RequestOrigin, RollUp, Team, TimePreference
from requests_app.overview.chart import HEIGHT, PARTS, ChartBar, DrawnBar, draw, ticks
from requests_app.overview.counting import UNTOLD
from requests_app.overview.reading import Asked, Bar, Overview, overview_of, user_key_of
from requests_app.overview.spans import Range
from requests_app.search import Term
from requests_app.views.access import team_in_links, team_of, team_required
from requests_app.views.listing import examples

MOST_LINES = 20  # of a table
LABELS = 6  # at most, below the chart
NAMES = {Range.HOUR: "Last hour", Range.DAY: "Last day", Range.MONTH: "Last 30 days"}
ORIGINS: dict[str, str] = {**dict(RequestOrigin.choices), UNTOLD: "not known"}


@dataclass(frozen=True)
class _View:
    """What the address asks for."""

    team: Team
    range: Range
    zone: str  # as it is named; empty: the one that the user chose
    endpoint: str
    person: str
    in_links: int | None

    @classmethod
    def of(cls, request: HttpRequest) -> _View:
        """Read the query string; what is not known is ignored."""
        asked = request.GET.get("range", "")
        zone = request.GET.get("zone", "")
        return cls(
            team_of(request),
            Range(asked) if asked in list(Range) else Range.DAY,
            zone if zone in known_zones() else "",
            request.GET.get("endpoint", "")[:300].replace("\0", ""),
            request.GET.get("by", "")[:150].replace("\0", ""),
            team_in_links(request),
        )

    def url(self, **other: str) -> str:
        """Return the page's address with something else asked for."""
        named = {
            "range": self.range.value, "endpoint": self.endpoint, "by": self.person,
            "zone": self.zone, "team": self.in_links,
        }  # fmt: skip
        asked = {name: value for name, value in (named | other).items() if value}
        return f"{reverse('requests:overview')}?{urlencode(asked)}"

    def list(self, *terms: Term, begin: datetime | None = None, end: datetime | None = None) -> str:
        """Return the list's address: the page's filters, a span of time, these terms."""
        after = Term("after", _utc(begin) if begin else "")
        before = Term("before", _utc(end) if end else "")
        asked = [*self._filters, after, before, *terms]
        return self._lists + quote_plus(" ".join(str(term) for term in asked if term.value))

    @cached_property
    def _filters(self) -> tuple[Term, Term]:
        return Term("endpoint", self.endpoint), Term("by", self.person)

    @cached_property
    def _lists(self) -> str:
        """The beginning of all addresses of the list, which a page has by the hundred."""
        team = f"team={self.in_links}&" if self.in_links else ""
        return f"{reverse('requests:list')}?{team}q="


@team_required
@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """Show the overview: GET /overview/?range=day. To htmx its figures alone."""
    view = _View.of(request)
    style = _style(request, view)
    found = overview_of(_asked(view, style.tz))
    context = {
        "view": view,
        "ranges": [(NAMES[one], view.url(range=one.value), one == view.range) for one in Range],
        "live_url": view.url(),
        "drawn_zone": str(style.tz),
        "is_local": TimePreference.of(request.user).zone == LOCAL,
        **_figures(view, found, style.tz),
    }
    is_part = request.headers.get("HX-Target") == "overview-live"
    return render(request, "overview/_live.html" if is_part else "overview/overview.html", context)


def _style(request: HttpRequest, view: _View) -> TimeStyle:
    """Return the user's format of times; the page's script names the browser's zone where that is chosen."""
    chosen = TimePreference.of(request.user)
    zone = view.zone if view.zone and chosen.zone == LOCAL else chosen.zone
    return TimeStyle(zone, chosen.has_ages, chosen.hours)


def _asked(view: _View, zone: tzinfo) -> Asked:
    key = user_key_of(view.person)
    return Asked(view.team.pk, view.range, timezone.now(), zone, view.endpoint, key)


def _figures(view: _View, found: Overview, zone: tzinfo) -> dict[str, Any]:
    ends = [bar.ends for bar in found.bars]
    is_empty = not found.ends.total and not found.in_flight
    knows_nothing = is_empty and not _has_any(view.team)
    begin = found.begin
    return {
        "found": found,
        "is_empty": is_empty,
        "is_first_use": knows_nothing,
        "examples": examples(team=view.in_links) if knows_nothing else [],
        "height": HEIGHT,
        "parts": [(kind, word, getattr(found.ends, kind)) for kind, word, _ in PARTS],
        "ticks": ticks(ends),
        "drawn": list(_drawn(view, found.bars, draw(ends), zone)),
        "labels": list(_labels(found, zone)),
        "all_url": view.list(begin=begin),
        "failed_url": view.list(Term("status", "failed"), begin=begin),
        "more_endpoints": max(len(found.endpoints) - MOST_LINES, 0),
        "endpoint_lines": [
            (one, view.url(endpoint=one.endpoint_id)) for one in found.endpoints[:MOST_LINES]
        ],
        "tables": list(_tables(view, found)),
        "in_flight": [
            (one, view.list(Term("status", one.status))) for one in found.in_flight
        ],
        "waiting": sum(one.count for one in found.in_flight),
        "endpoint_choices": sorted({view.endpoint, *(one.endpoint_id for one in found.endpoints)} - {""}),
        "person_choices": sorted({view.person, *(name for name, _ in found.people)} - {""}),
        "everything_url": view.url(endpoint="", by=""),
    }  # fmt: skip


def _has_any(team: Team) -> bool:
    known = RollUp.objects.filter(team=team)
    return FalRequest.objects.filter(team=team).exists() or known.exists()


@dataclass(frozen=True)
class CountsTable:
    """Counts by name, the most first. `lines`: name, count, address; `none` is said where there are none."""

    id: str
    title: str
    word: str
    lines: list[tuple[str, int, str]]
    none: str = "No requests in this time."
    is_code: bool = False


def _tables(view: _View, found: Overview) -> Iterator[CountsTable]:
    failures = [
        ("no type" if kind == UNTOLD else kind, count, _failures_url(view, kind, found.begin))
        for kind, count in found.failures
    ]
    none = "No failures in this time."
    yield CountsTable(
        "failures", "Failures by kind", "Kind", failures[:MOST_LINES], none, is_code=True
    )
    people = [(name, count, view.url(by=name)) for name, count in found.people]
    yield CountsTable("people", "People", "Person", people[:MOST_LINES])
    sources = [
        (ORIGINS.get(name, name), count, _source_url(view, name, found.begin))
        for name, count in found.sources
    ]
    yield CountsTable("sources", "Sources", "Source", sources)
    if found.heard:
        all_of = sum(count for _, count in found.heard)
        heard = [
            (f"{SOURCE_WORDS.get(name, name)} ({_percent(count, all_of)})", count, "")
            for name, count in found.heard
        ]
        yield CountsTable("heard", "How fal told the end", "From", heard)


def _percent(count: int, of: int) -> str:
    return f"{100 * count / of:.0f} %" if 200 * count >= of else "less than 1 %"


def _failures_url(view: _View, kind: str, begin: datetime) -> str:
    told = "" if kind == UNTOLD else kind
    return view.list(Term("status", "failed"), Term("error", told), begin=begin)


def _source_url(view: _View, name: str, begin: datetime) -> str:
    return "" if name == UNTOLD else view.list(Term("source", name), begin=begin)


def _drawn(view: _View, bars: list[Bar], drawn: list[DrawnBar], zone: tzinfo) -> Iterator[ChartBar]:
    for bar, shape in zip(bars, drawn, strict=True):
        url = view.list(begin=bar.begin, end=bar.end)
        name = _name(view.range, bar.begin, zone)
        yield ChartBar(shape, bar.ends, name, url)


def _labels(found: Overview, zone: tzinfo) -> Iterator[tuple[float, str]]:
    """Yield places along the axis, in percent, and what stands there."""
    count = len(found.bars)
    for place in range(0, count, count // LABELS):
        yield round(100 * place / count, 3), _name(found.range, found.bars[place].begin, zone)


def _name(asked: Range, begin: datetime, zone: tzinfo) -> str:
    there = begin.astimezone(zone)
    return f"{there:%d %b}" if asked is Range.MONTH else f"{there:%H:%M}"


def _utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"
