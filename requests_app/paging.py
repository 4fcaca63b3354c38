"""Keyset pagination, usually newest first: every page costs the same, and new rows do not shift the others.

The cursor is the public id of the row at the page's edge. It is looked up among the rows of the reader's
team, so a cursor reveals nothing about other teams, and a cursor of another team is invalid.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from django.db.models import QuerySet

from requests_app.models import FalRequest

PAGE_SIZE = 50


class InvalidCursor(ValueError):
    """The cursor names no row of this team."""


class MatchingKeys(Protocol):
    """What matches, by the rows' keys: the first ones (after a row), and those before a row, the nearest first."""

    def newest(self, most: int, *, below: int | None = None) -> list[int]: ...
    def oldest(self, most: int, *, above: int) -> list[int]: ...


R = TypeVar("R", bound=Any)  # a row as a page has it, with `pk` and `public_id`


@dataclass(frozen=True)
class Page(Generic[R]):
    """Rows in order. ``newer`` and ``older`` are query strings, empty at the ends."""

    rows: list[R]
    newer: str = ""
    older: str = ""

    @property
    def is_first(self) -> bool:
        """Whether new rows belong on this page."""
        return not self.newer


def page_of(
    matching: MatchingKeys,
    *,
    within: QuerySet[FalRequest],
    load: Callable[[list[int]], Iterable[R]],
    params: Mapping[str, str],
    size: int = PAGE_SIZE,
) -> Page[R]:
    """Return the page of ``matching`` that ``params`` (``older=<uuid>`` or ``newer=<uuid>``) asks for.

    ``within`` is every row of the team: the edge row may no longer match the filter. ``load`` loads what the
    caller shows of the rows of some keys. Raises InvalidCursor.
    """
    if "newer" in params:
        above = matching.oldest(size + 1, above=_edge(within, params["newer"]))
        if len(above) > size:  # else they reach the top, which is the first page
            rows = _loaded(load, above[size - 1 :: -1])
            return Page(
                rows, newer=f"newer={rows[0].public_id}", older=f"older={rows[-1].public_id}"
            )
    if "older" in params:
        below = matching.newest(size + 1, below=_edge(within, params["older"]))
        rows = _loaded(load, below)
        return _page(rows, size, newer=f"newer={_first_id(rows) or params['older']}")
    return _page(_loaded(load, matching.newest(size + 1)), size)


def _loaded(load: Callable[[list[int]], Iterable[R]], keys: list[int]) -> list[R]:
    """Load the rows of these keys, in this order."""
    rows = {row.pk: row for row in load(keys)}
    return [rows[key] for key in keys if key in rows]


def _page(rows: list[R], size: int, newer: str = "") -> Page[R]:
    """Make a page of `size + 1` rows; the extra row says whether there are older ones."""
    older = f"older={rows[size - 1].public_id}" if len(rows) > size else ""
    return Page(rows[:size], newer, older)


def _first_id(rows: list[Any]) -> UUID | None:
    return rows[0].public_id if rows else None


def _edge(within: QuerySet[FalRequest], cursor: str) -> int:
    try:
        return within.values_list("pk", flat=True).get(public_id=UUID(cursor))
    except (ValueError, FalRequest.DoesNotExist) as error:
        raise InvalidCursor("This link to an older or newer page leads nowhere.") from error
