"""A long history within a minute: the database copies its rows by itself."""

from __future__ import annotations

from django.db import connection

from requests_app.models import FalRequest


def copy_up_to(count: int) -> None:
    """Copy the rows, of which there is at least one, until there are so many."""
    there = FalRequest.objects.count()
    while there < count:
        double(min(there, count - there))
        there *= 2


def double(most: int) -> None:
    """Store copies of up to `most` rows, each with ids of its own."""
    table = FalRequest._meta.db_table
    columns = [field.column for field in FalRequest._meta.concrete_fields if field.column != "id"]
    fresh = "lower(hex(randomblob(16)))" if connection.vendor == "sqlite" else "gen_random_uuid()"
    values = [
        {"public_id": fresh, "fal_request_id": f"CAST({fresh} AS TEXT)"}.get(name, f'"{name}"')
        for name in columns
    ]
    names = ", ".join(f'"{name}"' for name in columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f'INSERT INTO "{table}" ({names}) SELECT {", ".join(values)} FROM "{table}" LIMIT {most}'
        )
