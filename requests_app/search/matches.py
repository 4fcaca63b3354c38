"""The rows that match a search: pages of them, and counts. Nothing here reads more than it shows, nor loads a row.

Words are asked of the index. Filters are asked of the rows; where the team has many rows, of the index first,
which reads the words of all filters side by side, newest first, and stops when the page is full.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery

from requests_app.models import FalRequest, SearchEntry, Team
from requests_app.models.compiled import CompiledQuery
from requests_app.models.request import FalRequestQuerySet
from requests_app.search import moments
from requests_app.search.expressions import Expression
from requests_app.search.filters import conditions
from requests_app.search.language import Search, Term, statuses_of
from requests_app.search.narrowing import expression, inexact
from requests_app.search.scope import Scope

# One of these alone is read in order from an index of the rows.
_ORDERED = ("status", "endpoint", "has")


class _Number(Subquery):
    """How many rows a query finds, as a value of another one."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


def numbers_of(scope: Scope, asked: Iterable[Matches], most: int) -> QuerySet[Team, Any]:
    """Count what matches of each, at most `most`: the query's one answer has the numbers. All are of the scope's team."""
    numbers = [_Number(one.to_count(most)) for one in asked]
    return Team.objects.filter(pk=scope.team).values_list(*numbers)


@cache
def _newest(most: int) -> CompiledQuery[tuple[int]]:
    """Return the query of a first page without a search; pages have few sizes."""
    return CompiledQuery(
        lambda team: FalRequest.objects.filter(team=team).order_by("-pk").values_list("pk")[:most]
    )


@dataclass
class Matches:
    """The rows of `scope` that match `search` and a condition `also`."""

    scope: Scope
    search: Search
    also: Q = field(default_factory=Q)

    def __post_init__(self) -> None:
        """Match nothing where the asker may not see what the search asks for: a count would tell it."""
        if not self.scope.sees and self.search.asks_for_payloads:
            self.search, self.also = Search(), Q(pk__in=[])

    def newest(self, most: int, *, below: int | None = None) -> list[int]:
        """Return the keys of up to `most` rows, newest first."""
        if self.is_all and below is None:
            return [pk for (pk,) in _newest(most).all(team=self.scope.team)]
        keys = self._keys if below is None else self._keys.filter(pk__lt=below)
        return list(keys.order_by("-pk").values_list("pk", flat=True)[:most])

    def oldest(self, most: int, *, above: int) -> list[int]:
        """Return the keys of up to `most` rows above a key, oldest first."""
        keys = self._keys.filter(pk__gt=above).order_by("pk")
        return list(keys.values_list("pk", flat=True)[:most])

    def newest_keys(self, most: int) -> QuerySet[Any, int]:
        """Return the keys of up to `most` newest rows, for use inside of another query."""
        return self._keys.order_by("-pk").values_list("pk", flat=True)[:most]

    @property
    def is_all(self) -> bool:
        """Whether nothing is asked: all rows of the scope match."""
        return not self.search.terms and not self.also

    def count(self, most: int) -> int:
        """Return how many rows match, at most `most`."""
        return self.to_count(most).count()

    def to_count(self, most: int) -> QuerySet[Any, Any]:
        """Return up to `most` of what matches, in any order: the rows' own index then serves several statuses at once."""
        return (self._rows if self._is_of_statuses else self._keys).values("pk")[:most]

    def among(self, rows: QuerySet[FalRequest]) -> set[int]:
        """Return the keys of those of a few rows that match."""
        pks = list(rows.values_list("pk", flat=True))
        return set(self._keys.filter(pk__in=pks).values_list("pk", flat=True))

    @property
    def rows(self) -> FalRequestQuerySet:
        """Return the rows themselves, for those who go through all of them."""
        if self._asked is None:
            return self._rows
        return self._rows.filter(
            pk__in=SearchEntry.objects.filter(words__matches=self._asked).values("pk")
        )

    @cached_property
    def _keys(self) -> QuerySet[FalRequest] | QuerySet[SearchEntry]:
        """Rows, or their entries: both have the row's key, and are in the order of it."""
        asked = self._asked
        if asked is None:
            return self._rows
        entries = SearchEntry.objects.filter(words__matches=asked, **self._bounds)
        if not self._rest:
            return entries
        # A value and no EXISTS: it is looked up row by row, so that the index is read first, up to the end of the page.
        row = self.scope.rows.filter(self._rest, pk=OuterRef("pk")).values("pk")
        return entries.alias(row=Subquery(row)).filter(row__isnull=False)

    @cached_property
    def _asked(self) -> Expression | None:
        return expression(self.search, self.scope, filters=self._is_indexed)

    @cached_property
    def _is_indexed(self) -> bool:
        if "group" in self.search.by_key():
            return False  # few rows, which have an index of their own
        [first, *others] = self.search.terms or [Term("", "")]
        is_plain = first.key in _ORDERED and not (first.negated or re.search(r"[,*]", first.value))
        if first.key == "status":  # active and ended are several
            is_plain = is_plain and len(statuses_of(first.value.lower())) == 1
        if first.key == "endpoint":  # a part of an id is several, too
            is_plain = is_plain and "/" in first.value and first.value == first.value.lower()
        if first.key == "has":
            is_plain = first.value == "media"
        return bool(first.value) and (bool(others) or not is_plain) and self.scope.is_large

    @property
    def _is_of_statuses(self) -> bool:
        terms = self.search.terms
        return len(terms) == 1 and terms[0].key == "status" and not terms[0].negated

    @cached_property
    def _rows(self) -> FalRequestQuerySet:
        asked = conditions(self.search, me=self.scope.me, now=self.scope.now)
        return self.scope.rows.filter(self.also & asked & Q(**self._bounds))

    @cached_property
    def _rest(self) -> Q:
        """Return the conditions that the index does not answer exactly."""
        rest = self.search
        if self._is_indexed:
            rest = Search(tuple(inexact(self.search, self.scope)))
        return self.also & conditions(rest, me=self.scope.me, now=self.scope.now)

    @cached_property
    def _bounds(self) -> dict[str, int]:
        """Return bounds of the key that follow from times: rows get their keys in the order they are created."""
        terms = self.search.by_key()
        after, before = (
            [
                found
                for term in terms.get(key, [])
                if (found := moments.moment(term.value, self.scope.now))
            ]
            for key in ("after", "before")
        )
        bounds = {}
        if after:
            bounds["pk__gt"] = self.scope.first_after(max(after))
        if before and (key := self.scope.last_before(min(before))) is not None:
            bounds["pk__lt"] = key
        return bounds
