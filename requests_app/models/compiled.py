"""Queries that are compiled once: for what each page asks, Django takes ten times longer to write the SQL than the database to answer.

    _mine = CompiledQuery(lambda user: Membership.objects.filter(user=user).select_related("team"))
    _mine.all(user=5)

The query is built with a `Slot` in the place of each value, and its SQL is kept. A list takes as many slots as it has
values, so its query is compiled once for each length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import Expression, Model, QuerySet
from django.db.models.query import get_related_populators

R = TypeVar("R")


class Slot(Expression):
    """The place of a value, or of one of a list of values."""

    def __init__(self, name: str, number: int | None = None) -> None:
        super().__init__()
        self.name, self.number = name, number

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        """Stand among the parameters by itself, until there is a value."""
        return "%s", [self]

    def value_of(self, values: Mapping[str, Any]) -> Any:
        """Return this slot's value as the database takes it."""
        value = values[self.name] if self.number is None else values[self.name][self.number]
        if isinstance(value, datetime):
            return connection.ops.adapt_datetimefield_value(value)
        return value


class _Statement(NamedTuple):
    sql: str
    parameters: tuple[Any, ...]  # slots, and what is the same each time


class _Columns(NamedTuple):
    """What the columns of an answer are."""

    select: list[Any]
    of_class: dict[str, Any] | None  # of models; None for plain values
    annotations: dict[str, int]
    places: dict[tuple[type[Model], str], int]  # of fields


class CompiledQuery(Generic[R]):
    """A query of models, each an `R`, or of plain values, each answer a tuple `R`."""

    def __init__(self, make: Callable[..., QuerySet[Any, Any]]) -> None:
        """Take what builds it; called with slots in the place of values, and with lists of slots."""
        self._make = make
        self._statements: dict[tuple[Any, ...], _Statement | None] = {}
        self._columns: _Columns

    def all(self, **values: Any) -> list[R]:
        """Return every answer."""
        return list(self.made_of(self.raw(**values)))

    def first(self, **values: Any) -> R | None:
        """Return the first answer, if there is one."""
        return next(self.made_of(self.raw(**values)[:1]), None)

    def raw(self, **values: Any) -> list[tuple[Any, ...]]:
        """Return the answers as the database's driver makes them."""
        statement = self._statement(values)
        if statement is None:
            return []
        given = [one.value_of(values) if type(one) is Slot else one for one in statement.parameters]
        with connection.cursor() as cursor:
            cursor.execute(statement.sql, given)
            return list(cursor.fetchall())

    def made_of(self, raw: Iterable[tuple[Any, ...]]) -> Iterator[R]:
        """Return what Django makes of such answers: converted values, or models."""
        if not raw:
            return iter(())
        rows, of_class = self._converted(raw), self._columns.of_class
        values: Iterator[Any] = map(tuple, rows)
        return values if of_class is None else self._models(rows, of_class)

    def place(self, model: type[Model], name: str) -> int:
        """Return which column of the answers has this field of the model. Raises KeyError."""
        return self._columns.places[model, name]

    def _statement(self, values: Mapping[str, Any]) -> _Statement | None:
        """Return the SQL for values of this kind; None when nothing can be found."""
        lengths = [len(one) if isinstance(one, list) else None for one in values.values()]
        form = (connection.vendor, *lengths)
        if form not in self._statements:
            slots = {
                name: Slot(name) if length is None else [Slot(name, at) for at in range(length)]
                for name, length in zip(values, lengths, strict=True)
            }
            self._statements[form] = self._compiled(self._make(**slots))
        return self._statements[form]

    def _compiled(self, rows: QuerySet[Any, Any]) -> _Statement | None:
        compiler = rows.query.get_compiler(using=rows.db)
        try:
            sql, parameters = compiler.as_sql()
        except EmptyResultSet:
            return None
        targets = [getattr(column, "target", None) for column, _, _ in compiler.select]
        places = {(one.model, one.name): place for place, one in enumerate(targets) if one}
        self._columns = _Columns(
            select=compiler.select,
            of_class=compiler.klass_info if rows.query.default_cols else None,
            annotations=compiler.annotation_col_map or {},
            places=places,
        )
        return _Statement(sql, tuple(parameters))

    def _converted(self, rows: Iterable[tuple[Any, ...]]) -> Iterator[list[Any]]:
        """Do what a compiler does: it is of one connection, this query of all."""
        converters = []
        for place, (column, _, _) in enumerate(self._columns.select):
            found = connection.ops.get_db_converters(column) + column.get_db_converters(connection)
            converters += [(place, one, column) for one in found]
        for row in map(list, rows):
            for place, convert, column in converters:
                row[place] = convert(row[place], column, connection)
            yield row

    def _models(self, rows: Iterable[list[Any]], of_class: dict[str, Any]) -> Iterator[R]:
        """Do what `QuerySet` does for models."""
        select, annotations = self._columns.select, self._columns.annotations
        first, last = of_class["select_fields"][0], of_class["select_fields"][-1] + 1
        names = [one.target.attname for one, _, _ in select[first:last]]
        related = get_related_populators(of_class, select, connection.alias)  # type: ignore[call-arg] # of a later Django
        for row in rows:
            made = of_class["model"].from_db(connection.alias, names, row[first:last])
            for one in related:
                one.populate(row, made)
            for name, place in annotations.items():
                setattr(made, name, row[place])
            yield made
