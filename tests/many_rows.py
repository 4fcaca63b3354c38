"""A long history within a minute: the database copies its rows by itself."""

from __future__ import annotations

from django.db import connection

from requests_app.models import FalRequest


def copy_up_to(count: int, **values: str) -> None:
    """Copy the rows, of which there is at least one, until there are so many.

    `values`: columns that are not copied, as SQL.
    """
    there = FalRequest.objects.count()
    while there < count:
        double(min(there, count - there), values)
        there *= 2


def double(most: int, given: dict[str, str]) -> None:
    """Store copies of up to `most` rows, each with ids of its own."""
    table = FalRequest._meta.db_table
    columns = [field.column for field in FalRequest._meta.concrete_fields if field.column != "id"]
    fresh = "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()"
    own = {"public_id": fresh, "fal_request_id": f"CAST({fresh} AS TEXT)", **given}
    values = [own.get(name, f'"{name}"') for name in columns]
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} FROM "{table}" LIMIT {most}'
        )
