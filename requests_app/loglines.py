"""fal shows a moving window of the log; here the windows become one history without repeats."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence

from requests_app.fal.reports import LogLine as Line
from requests_app.models import LogLine

MAX_MESSAGE = 64 * 1024  # characters of one line


def new_logs(pk: int, window: Sequence[Line]) -> list[LogLine]:
    """The lines of the window that are not stored yet, in fal's order."""
    lines = _numbered(pk, window)
    known = set(
        LogLine.objects.filter(request_id=pk, digest__in=list(lines)).values_list(
            "digest", flat=True
        )
        if len(lines) <= 500
        else LogLine.objects.filter(request_id=pk).values_list("digest", flat=True)
    )
    return [line for digest, line in lines.items() if digest not in known]


def add_logs(pk: int, lines: Sequence[LogLine]) -> int:
    """Store them; another reader may have been first. Returns how many were meant to be added."""
    LogLine.objects.bulk_create(lines, batch_size=500, ignore_conflicts=True)
    return len(lines)


def _numbered(pk: int, window: Sequence[Line]) -> dict[str, LogLine]:
    """Equal lines of one moment are told apart by their order among themselves."""
    seen: Counter[tuple[str, str, str]] = Counter()
    lines: dict[str, LogLine] = {}
    for line in window:
        key = (line.timestamp, line.level, line.message)
        seen[key] += 1
        digest = hashlib.sha256(repr((*key, seen[key])).encode("utf-8", "surrogatepass"))
        lines[digest.hexdigest()] = LogLine(
            request_id=pk,
            digest=digest.hexdigest(),
            timestamp=storable(line.timestamp)[:40],
            level=storable(line.level)[:20],
            source=storable(line.source)[:40],
            message=storable(line.message)[:MAX_MESSAGE],
        )
    return lines


def storable(text: str) -> str:
    """Text that every database takes: NUL and lone surrogates become U+FFFD."""
    if text.isascii() and "\0" not in text:
        return text
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return whole.replace("\0", "\ufffd")
