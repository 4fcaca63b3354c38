"""The filters above the list: those that are set, and those that can be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache

from django.contrib.auth import get_user_model

from requests_app.models.compiled import CompiledQuery
from requests_app.search import Search
from requests_app.search.sorting import ORDERS
from requests_app.views.listing import Chip, Links, Listing, list_url

DAY = timedelta(days=1)
RANGES = {"1h": "Last hour", "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days"}


_PEOPLE: CompiledQuery[tuple[str]] = CompiledQuery(
    lambda team: (
        get_user_model()
        ._default_manager.filter(memberships__team=team)
        .order_by("username")
        .values_list("username")
    )
)


@dataclass(frozen=True)
class FilterBar:
    """The filters that are set, each removable, and those that the page offers."""

    listing: Listing
    endpoints: list[str]
    now: datetime

    @cached_property
    def removable(self) -> list[tuple[str, str]]:
        """Return each term of the search with the address without it."""
        search = self.listing.search
        return [(str(term), self.listing.url(search.without(term))) for term in search.terms]

    @property
    def endpoint(self) -> str:
        """Return the one endpoint the search names, if it names one."""
        return self.listing.search.value("endpoint")

    @property
    def person(self) -> str:
        """Return the one user the search names, if it names one."""
        return self.listing.search.value("by")

    @cached_property
    def by_endpoint(self) -> tuple[Chip, ...]:
        """Return the endpoints the team used lately."""
        return self._choices("endpoint", tuple(self.endpoints))

    @cached_property
    def by_person(self) -> tuple[Chip, ...]:
        """Return the team's members."""
        names = tuple(name for (name,) in _PEOPLE.all(team=self.listing.team.pk))
        return self._choices("by", names)

    def _choices(self, key: str, values: tuple[str, ...]) -> tuple[Chip, ...]:
        return _choices(self.listing.links, self.listing.search, key, values)

    @cached_property
    def by_time(self) -> tuple[Chip, ...]:
        """Return the usual ranges of time."""
        today = self.now.astimezone(UTC).date().isoformat()
        return _times(self.listing.links, self.listing.search, today)

    @property
    def time(self) -> str:
        """Return the one range the search names, in words, if it names one."""
        return next((chip.word for chip in self.by_time[1:] if chip.chosen), "")

    @property
    def first_day(self) -> str:
        """Return the first day of the range, if the search names days."""
        found = self.listing.search.value("after")
        return found if _day(found) else ""

    @property
    def last_day(self) -> str:
        """Return the last day of the range, if the search names days."""
        found = _day(self.listing.search.value("before"))
        return (found - DAY).isoformat() if found else ""

    @cached_property
    def orders(self) -> tuple[Chip, ...]:
        """Return the orders that the list can have."""
        return _orders(self.listing.links, self.listing.search)

    @property
    def order(self) -> str:
        """Return the order in words, when it is not the usual one."""
        return ORDERS[self.listing.sort].word if self.listing.sort else ""

    @cached_property
    def everybody(self) -> str:
        """Return the address without any filter."""
        listing = self.listing
        return list_url(team=listing.in_links, sort=listing.sort, page=listing.page)


# The menus of a page are most often those of the page before: forty addresses, each written with care.
_kept = lru_cache(maxsize=512)


@_kept
def _choices(links: Links, search: Search, key: str, values: tuple[str, ...]) -> tuple[Chip, ...]:
    chosen = search.value(key)
    return (
        Chip("Any", links.url(search.setting(key)), "", not chosen),
        *(
            Chip(value, links.url(search.setting(key, value)), "", value == chosen)
            for value in values
        ),
    )


@_kept
def _times(links: Links, search: Search, today: str) -> tuple[Chip, ...]:
    without = search.setting("before")
    chosen = "" if search.value("before") else without.value("after")
    has_any = any(term.key in ("after", "before") for term in search.terms)
    ranges = {"": "Any time", **RANGES, today: "Today (UTC)"}
    return tuple(
        Chip(
            word,
            links.url(without.setting("after", value)),
            "",
            value == chosen and bool(value) == has_any,
        )
        for value, word in ranges.items()
    )


@_kept
def _orders(links: Links, search: Search) -> tuple[Chip, ...]:
    named = {"": "Newest first"} | {name: order.word for name, order in ORDERS.items()}
    return tuple(
        Chip(word, links._replace(sort=name).url(search), "", name == links.sort)
        for name, word in named.items()
    )


def with_days(search: Search, first: str, last: str) -> Search:
    """Return the search for these days, the last one included; what is no day is left for the search to name."""
    day = _day(last)
    before = (day + DAY).isoformat() if day and day < date.max else last.strip()
    return search.setting("before", before).setting("after", first.strip())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if len(text) == len("2026-11-01") else None
    except ValueError:
        return None
