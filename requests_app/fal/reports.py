"""What fal said, as frozen values, and the pure parsers that make them from bytes or parsed JSON.

Parsers are lenient about what we do not need (malformed members are dropped) and keep words they
do not know: a new status of fal's must not break a sweep.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Literal

from .endpoints import RequestUrls
from .error_bodies import ErrorBody, text_of, type_of, words_of
from .jsontext import Items, NotJson, parse_json

COMPLETED = "COMPLETED"
STATUSES = frozenset({"IN_QUEUE", "IN_PROGRESS", COMPLETED})
LONG_LOG = 1000  # lines

CancelKind = Literal["requested", "removed", "already_completed", "not_found", "unclear"]

_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?", re.ASCII)


@dataclass(frozen=True)
class Receipt:
    """fal accepted the request. A returned URL that points to another host is replaced by a rebuilt one."""

    request_id: str
    gateway_request_id: str | None
    urls: RequestUrls
    queue_position: int | None = None


@dataclass(frozen=True)
class LogEntry:
    """One log line; fal's timestamps have no zone. Level and source are "" when fal gave none."""

    timestamp: str
    level: str
    source: str
    message: str


@dataclass(frozen=True)
class LongLog:
    """Very many log lines, each parsed when it is iterated."""

    items: Items

    def __len__(self) -> int:
        return len(self.items)

    def __iter__(self) -> Iterator[LogEntry]:
        return map(_log_line, self.items)


@dataclass(frozen=True)
class StatusReport:
    """One status report of a queued request. ``logs`` is a moving window of about 5 minutes, not a
    history.

    ``status`` may go backwards; COMPLETED covers success, failure and cancellation, ``error``
    tells them apart.
    """

    status: str
    queue_position: int | None = None
    logs: tuple[LogEntry, ...] | LongLog = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    error: str | None = None
    error_type: str | None = None

    @property
    def is_completed(self) -> bool:
        return self.status == COMPLETED

    @property
    def is_known(self) -> bool:
        """Whether it is a status that fal documents."""
        return self.status in STATUSES


@dataclass(frozen=True)
class Rest:
    """What follows the beginning of a large body: ``size`` bytes of a temporary file."""

    file: IO[bytes]
    start: int
    size: int

    @property
    def last_byte(self) -> bytes:
        """Return the last byte that is not white space (of the last 64)."""
        self.file.seek(max(self.start, self.start + self.size - 64))
        return self.file.read(64).rstrip()[-1:]

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield pieces from its first byte, as often as wanted, until it is closed."""
        self.file.seek(self.start)
        while piece := self.file.read(size):
            yield piece


@dataclass(frozen=True)
class Result:
    """What the model returned, byte for byte; ``headers`` are the useful ones, in lower case.

    For a large one ``body`` is the beginning and ``rest`` the remainder; ``close`` deletes its
    file.
    """

    status_code: int
    headers: dict[str, str]
    content_type: str
    body: bytes
    error: ErrorBody | None = None
    request_id: str | None = None
    rest: Rest | None = None

    @property
    def ok(self) -> bool:
        return self.error is None

    @property
    def size(self) -> int:
        return len(self.body) + (self.rest.size if self.rest else 0)

    @property
    def billable_units(self) -> str:
        """What fal bills of it, in units of its price, as fal wrote the number; "" when it told none."""
        told = self.headers.get("x-fal-billable-units", "").strip()
        return told if len(told) <= 40 and _NUMBER.fullmatch(told) else ""

    def close(self) -> None:
        if self.rest:
            self.rest.file.close()


@dataclass(frozen=True)
class CancelAnswer:
    """fal's answer to a cancel. Only "removed" means that nothing will run."""

    status_code: int
    kind: CancelKind
    body: bytes = b""


@dataclass(frozen=True)
class WebhookReport:
    """A webhook with a valid signature. ``payload_bytes`` is the payload's own text, None when null
    or absent.
    """

    request_id: str
    gateway_request_id: str | None
    status: str
    payload_bytes: bytes | None
    error: str | None
    error_type: str | None
    payload_error: str | None
    user_id: str


def text_or_none(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def parse_status(data: Mapping[str, Any]) -> StatusReport:
    """Parse a status reply or one event of the status stream. Raises NotJson without a status."""
    status = text_or_none(data.get("status"))
    if status is None:
        raise NotJson("The status reply holds no status.")
    logs, metrics = data.get("logs"), data.get("metrics")
    return StatusReport(
        status=status,
        queue_position=parse_position(data.get("queue_position")),
        logs=_logs(logs),
        metrics=metrics if isinstance(metrics, dict) else {},
        error=words_of(data.get("error")),
        error_type=type_of(data),
    )


def _logs(told: object) -> tuple[LogEntry, ...] | LongLog:
    if isinstance(told, Items) and len(told) > LONG_LOG:
        return LongLog(told)
    return tuple(map(_log_line, told)) if isinstance(told, list | Items) else ()


def parse_position(value: object) -> int | None:
    """Return the number of requests ahead of this one, from 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _log_line(entry: object) -> LogEntry:
    """Parse a log entry; a message that is not text, or an entry without one, is written as JSON."""
    if not isinstance(entry, dict):
        return LogEntry("", "", "", text_of(entry) or "")
    labels = entry.get("labels")
    known = {**(labels if isinstance(labels, dict) else {}), **entry}
    timestamp, level, source = (
        text_of(known.get(n)) or "" for n in ("timestamp", "level", "source")
    )
    return LogEntry(timestamp, level, source, text_of(known.get("message", entry)) or "")


def parse_cancel(status_code: int, body: bytes) -> CancelAnswer:
    """Read the status word first, the HTTP code only without one.

    UNCONFIRMED which of fal's two descriptions holds (``{"status": …}`` or ``{"success": bool}``):
    both are parsed here.
    """
    try:
        data = parse_json(body)
    except NotJson:
        data = None
    members = data if isinstance(data, dict) else {}
    return CancelAnswer(status_code, _cancel_kind(status_code, members), body)


_CANCEL_WORDS: Mapping[str, CancelKind] = {
    "OK": "removed",
    "CANCELLATION_REQUESTED": "requested",
    "ALREADY_COMPLETED": "already_completed",
    "NOT_FOUND": "not_found",
}


def _cancel_kind(status_code: int, members: Mapping[str, Any]) -> CancelKind:
    if word := text_or_none(members.get("status")):
        return _CANCEL_WORDS.get(word, "unclear")
    if 200 <= status_code < 300 and members.get("success") is not False:
        return "requested"
    return "unclear"
