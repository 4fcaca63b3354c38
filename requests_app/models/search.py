"""The full-text index: one entry for each request, an FTS5 table on SQLite and a `tsvector` on PostgreSQL.

What an entry has is decided by `search.documents`, the same on both databases; only `search.index` writes it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.lookups import Lookup

from requests_app.models.request import FalRequest


class WordsField(models.TextField):  # type: ignore[type-arg]
    """The indexed words. It is never read: `matches` is asked instead."""

    def db_type(self, connection: Any) -> str:
        return "tsvector" if connection.vendor == "postgresql" else "text"

    def rel_db_type(self, connection: Any) -> str:
        return self.db_type(connection)


@WordsField.register_lookup
class MatchesWords(Lookup):
    """An expression of `search.expressions` matches the words."""

    lookup_name = "matches"
    prepare_rhs = False

    def get_db_prep_lookup(self, value: Any, connection: Any) -> Any:
        return "%s", [value.as_tsquery() if connection.vendor == "postgresql" else value.as_fts5()]

    def as_sql(self, compiler: Any, connection: Any) -> Any:
        left, left_values = self.process_lhs(compiler, connection)
        right, right_values = self.process_rhs(compiler, connection)
        how = "@@ {}::tsquery" if connection.vendor == "postgresql" else "MATCH {}"
        return f"{left} {how.format(right)}", [*left_values, *right_values]


class SearchEntry(models.Model):
    """The words of one request. Its key is the request's, by which an FTS5 table is ordered."""

    request = models.OneToOneField(
        FalRequest,
        on_delete=models.CASCADE,
        primary_key=True,
        db_column="rowid",
        db_constraint=False,  # the migration makes it where the database can
        related_name="search_entry",
    )
    words = WordsField()

    def __str__(self) -> str:
        return f"words of request {self.pk}"


class SearchHistory(models.Model):
    """How far the rows of before the index have been indexed, from the newest down; one row, none when all are."""

    top = models.BigIntegerField()  # the newest of them
    below = models.BigIntegerField()  # the next one is the newest below this key

    def __str__(self) -> str:
        return f"indexed down to {self.below} of {self.top}"

    @property
    def percent(self) -> int:
        """How much is covered, by the distance of the keys."""
        return int(100 * (self.top - self.below + 1) / max(self.top, 1))
