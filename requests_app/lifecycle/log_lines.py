"""Store fal's log without repeats: each status has a moving window of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from requests_app.fal.reports import LogEntry
from requests_app.models import LogLine
from requests_app.rules.storable import storable_text

MAX_MESSAGE = 64 * 1024  # characters of one line
BATCH = 500  # lines in memory, and in one INSERT


def new_logs(pk: int, window: Iterable[LogEntry]) -> Iterator[list[LogLine]]:
    """Yield the lines of the window that are not stored yet, in fal's order, in batches."""
    lines = _numbered(pk, window)
    while batch := {line.digest: line for line in islice(lines, BATCH)}:
        stored = LogLine.objects.filter(request_id=pk, digest__in=list(batch))
        for digest in stored.values_list("digest", flat=True):
            del batch[digest]
        if batch:
            yield list(batch.values())


def add_logs(pk: int, lines: Sequence[LogLine]) -> int:
    """Store lines and return their number, including lines that a concurrent reader stored first."""
    LogLine.objects.bulk_create(lines, batch_size=BATCH, ignore_conflicts=True)
    return len(lines)


def _numbered(pk: int, window: Iterable[LogEntry]) -> Iterator[LogLine]:
    """Make rows; number equal lines with the same timestamp, so that each is stored."""
    once: set[bytes] = set()
    again: Counter[bytes] = Counter()
    for line in window:
        digest = first = _digest(line, 1)
        if first in once:
            again[first] += 1
            digest = _digest(line, again[first] + 1)
        once.add(first)
        yield LogLine(
            request_id=pk,
            digest=digest.hex(),
            timestamp=storable_text(line.timestamp, 40),
            level=storable_text(line.level, 20),
            source=storable_text(line.source, 40),
            message=storable_text(line.message, MAX_MESSAGE),
        )


def _digest(line: LogEntry, number: int) -> bytes:
    key = (line.timestamp, line.level, line.message, number)
    return hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).digest()
