"""Orders of the list beside newest first, each walked page by page from a row's place in it.

Without a search the order is read from an index, however long the history is. With one, an order by value is that
of the newest `MOST_SORTED` rows that match: the index of words knows no values, and to sort all would read all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

from django.db.models import F, Q
from django.db.models.expressions import Combinable

from requests_app.models.duration import Took
from requests_app.models.request import FalRequestQuerySet
from requests_app.search import amounts
from requests_app.search.language import Search, Term
from requests_app.search.matches import Matches

MOST_SORTED = 5000
Part = Callable[[int], list[int]]  # its first keys, so many


@dataclass(frozen=True)
class SortOrder:
    """An order by a value of the rows, or by their keys; rows of one value by their keys, rows without one last."""

    word: str
    value: Combinable | None
    has_value: Q
    others: Search  # finds the rows without a value
    falls: bool  # greatest value first
    newest_first: bool  # of rows with the same value


_ENDED = Q(ended_at__isnull=False)
_LIVE = Search((Term("status", "active"),))
_WITHOUT_COST = Search((Term("cost", amounts.NONE),))
_NONE = Search()
ORDERS = {
    "oldest": SortOrder("Oldest first", None, Q(), _NONE, falls=False, newest_first=False),
    "longest": SortOrder("Longest first", Took(), _ENDED, _LIVE, falls=True, newest_first=True),
    "shortest": SortOrder("Shortest first", Took(), _ENDED, _LIVE, falls=False, newest_first=False),
    "costliest": SortOrder(
        "Most expensive first",
        F("cost"),
        Q(cost__isnull=False),
        _WITHOUT_COST,
        falls=True,
        newest_first=True,
    ),
    "endpoint": SortOrder(
        "Endpoint, A to Z", F("endpoint_id"), Q(), _NONE, falls=False, newest_first=True
    ),
}


@dataclass
class Sorted:
    """What matches, in an order; as `paging` asks for it: "newest" are the first, "below" a row those after it."""

    matches: Matches
    order: SortOrder

    def newest(self, most: int, *, below: int | None = None) -> list[int]:
        """Return the keys of up to `most` rows from the start, or after a row, in this order."""
        if self.order.value is None:
            if below is None:
                return self.matches.oldest(most, above=0)
            return self.matches.oldest(most, above=below)
        return self._taken(most, self._parts(below, forwards=True))

    def oldest(self, most: int, *, above: int) -> list[int]:
        """Return the keys of up to `most` rows before a row, the nearest first."""
        if self.order.value is None:
            return self.matches.newest(most, below=above)
        return self._taken(most, self._parts(above, forwards=False))

    @cached_property
    def is_bounded(self) -> bool:
        """Whether more rows match than are sorted."""
        is_by_value = self.order.value is not None and not self.matches.is_all
        return is_by_value and self.matches.count(MOST_SORTED + 1) > MOST_SORTED

    @cached_property
    def _rows(self) -> FalRequestQuerySet:
        rows = self.matches.scope.rows
        if not self.matches.is_all:
            rows = rows.filter(pk__in=self.matches.newest_keys(MOST_SORTED))
        return rows.annotate(sort_value=self.order.value)

    def _parts(self, edge: int | None, *, forwards: bool) -> Iterator[Part]:
        """Yield what lies on one side of a row, in parts that each are one step through an index."""
        order = self.order
        rises, keys_rise = order.falls != forwards, order.newest_first != forwards
        value, is_valued = self._place(edge)
        if order.has_value and not is_valued:
            yield partial(self._without_value, edge, keys_rise=keys_rise)
        if forwards and not is_valued:
            return
        by_key = "pk" if keys_rise else "-pk"
        by_value = "sort_value" if rises else "-sort_value"
        valued = self._rows.filter(order.has_value)
        if edge is not None and is_valued:
            same: dict[str, Any] = {"sort_value": value}
            beside = valued.filter(**same, **_beyond("pk", edge, rises=keys_rise))
            yield partial(_first_keys, beside.order_by(by_key))
            valued = valued.filter(**_beyond("sort_value", value, rises=rises))
        yield partial(_first_keys, valued.order_by(by_value, by_key))
        if order.has_value and forwards:
            yield partial(self._without_value, None, keys_rise=keys_rise)

    def _without_value(self, edge: int | None, most: int, *, keys_rise: bool) -> list[int]:
        """Return the keys of rows without a value, after a row."""
        if self.matches.is_all:  # found in the index of words, as the list itself finds them
            others = Matches(self.matches.scope, self.order.others)
            if keys_rise:
                return others.oldest(most, above=edge or 0)
            return others.newest(most, below=edge)
        rows = self._rows.exclude(self.order.has_value)
        if edge is not None:
            rows = rows.filter(**_beyond("pk", edge, rises=keys_rise))
        return _first_keys(rows.order_by("pk" if keys_rise else "-pk"), most)

    def _place(self, edge: int | None) -> tuple[Any, bool]:
        """Return the value of a row, and whether it has one; for no row the start, which is before all values."""
        if edge is None:
            return None, True
        row = self.matches.scope.rows.filter(self.order.has_value, pk=edge)
        found = list(row.annotate(sort_value=self.order.value).values_list("sort_value", flat=True))
        return (found[0], True) if found else (None, False)

    @staticmethod
    def _taken(most: int, parts: Iterator[Part]) -> list[int]:
        keys: list[int] = []
        for part in parts:
            keys += part(most - len(keys))
            if len(keys) >= most:
                break
        return keys


def _first_keys(rows: FalRequestQuerySet, most: int) -> list[int]:
    return list(rows.values_list("pk", flat=True)[:most])


def _beyond(name: str, value: Any, *, rises: bool) -> dict[str, Any]:
    return {f"{name}__{'gt' if rises else 'lt'}": value}
