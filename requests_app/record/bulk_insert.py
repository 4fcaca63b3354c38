"""Insert a batch of frames, on each database. A frame that is already stored stays as it is.

Written as SQL: a session may have thousands of frames a second, and bulk_create takes five times
as long.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

import msgspec
from django.db import connection
from django.db.backends.utils import CursorWrapper

from requests_app.models import Frame
from requests_app.record.frame import NewFrame

MOST_ROWS = 256  # of one statement: 3,072 parameters; SQLite allows 32,766
EVENT, EVENT_ID = 100, 200  # characters that are kept

_COLUMNS = (
    "request_id", "number", "offset_ms", "direction", "kind", "event", "event_id", "data", "raw",
    "size", "pair", "rtt_ms", "says",
)  # fmt: skip
_INTO = f"INSERT INTO {Frame._meta.db_table} ({', '.join(_COLUMNS)})"
_ROW = f"({', '.join(['%s'] * len(_COLUMNS))})"

# Names and types are those of NewFrame; bytes are base64 in JSON.
_FROM_JSON = f"""
    {_INTO}
    SELECT %s, number, offset_ms, direction, kind, left(event, {EVENT}), left(event_id, {EVENT_ID}),
           data, decode(raw, 'base64'), size, pair, rtt_ms, says
    FROM json_to_recordset(%s) AS new (
        number int, offset_ms float8, data text, size int, event text, event_id text,
        direction text, kind text, raw text, pair int, rtt_ms float8, says text
    )
    ON CONFLICT DO NOTHING
"""  # nosec B608  # columns and lengths of ours  # noqa: S608 (constants alone)

_Row = tuple[Any, ...]


def insert(cursor: CursorWrapper, pk: int, batch: Sequence[NewFrame]) -> None:
    """Insert the batch, within the caller's transaction."""
    if connection.vendor == "postgresql":
        # As one text: psycopg spends 15 us on a row's parameters, this takes 2.
        cursor.execute(_FROM_JSON, [pk, msgspec.json.encode(batch).decode()])
        return
    # Many rows per statement: between two statements SQLite releases Python's lock and has to wait
    # for it again, which beside a busy loop takes three times as long as the writing itself.
    for rows in _portions([_values(pk, frame) for frame in batch]):
        cursor.execute(_of_many(len(rows)), list(chain.from_iterable(rows)))


@cache
def _of_many(rows: int) -> str:
    return f"{_INTO} VALUES {', '.join([_ROW] * rows)} ON CONFLICT DO NOTHING"


def _portions(rows: list[_Row]) -> Iterator[list[_Row]]:
    """Split into powers of two, so that there are only nine statements, which SQLite keeps
    prepared.
    """
    done, size = 0, MOST_ROWS
    while done < len(rows):
        while size > len(rows) - done:
            size //= 2
        yield rows[done : done + size]
        done += size


def _values(pk: int, frame: NewFrame) -> _Row:
    return (
        pk, frame.number, frame.offset_ms, frame.direction, frame.kind,
        frame.event[:EVENT], frame.event_id[:EVENT_ID], frame.data,
        frame.raw, frame.size, frame.pair, frame.rtt_ms, frame.says,
    )  # fmt: skip
