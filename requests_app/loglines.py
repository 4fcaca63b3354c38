"""fal shows a moving window of the log; here the windows become one history without repeats."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from requests_app.fal.reports import LogLine as Line
from requests_app.models import LogLine
from requests_app.rules.storable import storable_text

MAX_MESSAGE = 64 * 1024  # characters of one line
BATCH = 500  # lines that are in memory, and written, at a time


def new_logs(pk: int, window: Iterable[Line]) -> Iterator[list[LogLine]]:
    """The lines of the window that are not stored yet, in fal's order, some at a time."""
    lines = _numbered(pk, window)
    while batch := {line.digest: line for line in islice(lines, BATCH)}:
        stored = LogLine.objects.filter(request_id=pk, digest__in=list(batch))
        for digest in stored.values_list("digest", flat=True):
            del batch[digest]
        if batch:
            yield list(batch.values())


def add_logs(pk: int, lines: Sequence[LogLine]) -> int:
    """Store them; another reader may have been first. Returns how many were meant to be added."""
    LogLine.objects.bulk_create(lines, batch_size=BATCH, ignore_conflicts=True)
    return len(lines)


def _numbered(pk: int, window: Iterable[Line]) -> Iterator[LogLine]:
    """Equal lines of one moment are told apart by their order among themselves."""
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


def _digest(line: Line, number: int) -> bytes:
    key = (line.timestamp, line.level, line.message, number)
    return hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).digest()
