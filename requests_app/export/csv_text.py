"""A line of CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence

CELL = 32_000  # characters of a cell: spreadsheets cut longer ones
_FORMULA = re.compile(r"[=+\-@\t\r]")  # a spreadsheet would run what begins so
_NUMBER = re.compile(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")


def csv_line(values: Sequence[str]) -> bytes:
    """Return the values as a line."""
    buffer = io.StringIO()
    csv.writer(buffer).writerow([_harmless(value) for value in values])
    return buffer.getvalue().encode("utf-8", "replace")


def fitting(text: str) -> str:
    """Return the text, or nothing when no cell holds it."""
    return text if len(text) <= CELL else ""


def _harmless(value: str) -> str:
    """Keep a spreadsheet from running a text: a model may write one that begins with an equals sign."""
    return f"'{value}" if _FORMULA.match(value) and not _NUMBER.fullmatch(value) else value
