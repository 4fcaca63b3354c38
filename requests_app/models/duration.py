"""How long requests took, as the database reckons it: the same expression in the index and in the queries that use it."""

from __future__ import annotations

from typing import Any

from django.db.models import F, FloatField, Func


class Took(Func):
    """Days on SQLite, seconds on PostgreSQL, from creation to the end: to sort by, not to show."""

    output_field = FloatField()
    arity = 2

    def __init__(self, *columns: Any, **extra: Any) -> None:
        super().__init__(*(columns or (F("created_at"), F("ended_at"))), **extra)

    def as_sqlite(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self._difference("(julianday({1}) - julianday({0}))", compiler)

    def as_postgresql(self, compiler: Any, connection: Any, **more: Any) -> Any:
        return self._difference("(EXTRACT(EPOCH FROM ({1} - {0}))::float8)", compiler)

    def _difference(self, template: str, compiler: Any) -> Any:
        columns = [compiler.compile(one) for one in self.get_source_expressions()]
        return template.format(*(sql for sql, _ in columns)), [
            value for _, values in columns[::-1] for value in values
        ]
