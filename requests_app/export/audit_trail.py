"""Entries of the audit trail as CSV and JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from requests_app.audit.reading import COLUMNS
from requests_app.export.csv_text import csv_line


def as_csv(entries: Iterable[dict[str, object]]) -> Iterator[bytes]:
    """Yield the CSV; details as JSON in one cell."""
    yield csv_line(COLUMNS)
    for entry in entries:
        yield csv_line([_cell(entry[name]) for name in COLUMNS])


def _cell(value: object) -> str:
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)


def as_jsonl(entries: Iterable[dict[str, object]]) -> Iterator[bytes]:
    """Yield JSON Lines."""
    for entry in entries:
        yield f"{json.dumps(entry, ensure_ascii=False)}\n".encode("utf-8", "replace")


FORMATS = {"csv": as_csv, "jsonl": as_jsonl}
