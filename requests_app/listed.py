"""Rows as the list's table shows them, as they came from the database: all that is drawn of a row, and so the key of its drawing."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from typing import Any
from uuid import UUID

from requests_app.display.marks import for_rows, with_star
from requests_app.models import FalRequest, Tag, Tagging, Thumbnail
from requests_app.models.compiled import CompiledQuery
from requests_app.models.request import FalRequestQuerySet
from requests_app.thumbnails.states import COLUMNS as PICTURE


class ListedRow:
    """A row of the table. Equal to another one when nothing that is drawn of it differs, nor what its reader may see."""

    def __init__(
        self,
        query: CompiledQuery[FalRequest],
        raw: tuple[Any, ...],
        tags: tuple[tuple[str, bool], ...],
    ) -> None:
        # The query tells the meaning of the columns, and whether the input and output are emptied.
        self._query, self._raw = query, raw
        self._key = (id(query), raw, tags)
        self._tags = tags

    def __hash__(self) -> int:
        return hash(self._key)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ListedRow) and self._key == other._key

    @property
    def pk(self) -> int:
        return int(self._value("id"))

    @property
    def public_id(self) -> UUID:
        found = self._value("public_id")
        return found if isinstance(found, UUID) else UUID(found)

    @property
    def waits_for_picture(self) -> bool:
        """Whether the clock decides what is shown of its picture."""
        return bool(self._value("problem", Thumbnail)) and bool(self._value("due_at", Thumbnail))

    def request(self) -> FalRequest:
        """Return the request with these columns alone: any other one would be one more query."""
        [row] = self._query.made_of([self._raw])
        row.shown_taggings = [  # type: ignore[attr-defined]
            Tagging(tag=Tag(name=name, is_fals=is_fals)) for name, is_fals in self._tags
        ]
        return row

    def _value(self, name: str, model: type[Any] = FalRequest) -> Any:
        return self._raw[self._query.place(model, name)]


def _rows(team: Any, keys: Any, *, sees: bool, **star: Any) -> FalRequestQuerySet:
    found = FalRequest.objects.filter(team=team, pk__in=keys).shown_to(sees=sees)
    rows = for_rows(found, PICTURE)
    return with_star(rows, star["user"]) if star else rows


_ROWS: dict[bool, CompiledQuery[FalRequest]] = {
    sees: CompiledQuery(partial(_rows, sees=sees)) for sees in (True, False)
}
_STARRED: dict[bool, CompiledQuery[FalRequest]] = {
    sees: CompiledQuery(partial(_rows, sees=sees)) for sees in (True, False)
}
_TAGS: CompiledQuery[tuple[int, str, bool]] = CompiledQuery(
    lambda keys: (
        Tagging.objects.filter(request__pk__in=keys)
        .order_by("pk")
        .values_list("request_id", "tag__name", "tag__is_fals")
    )
)


def listed(
    keys: list[int], *, team: int, sees: bool, stars_of: int | None = None
) -> list[ListedRow]:
    """Load the team's rows of these keys, in any order; `stars_of`: the user whose stars they show."""
    if stars_of is None:
        query = _ROWS[sees]
        found = query.raw(team=team, keys=keys)
    else:
        query = _STARRED[sees]
        found = query.raw(team=team, keys=keys, user=stars_of)
    tags = defaultdict(list)
    for key, name, is_fals in _TAGS.all(keys=keys) if found else ():
        tags[key].append((name, is_fals))
    place = query.place(FalRequest, "id") if found else 0
    return [ListedRow(query, raw, tuple(tags.get(raw[place], ()))) for raw in found]
