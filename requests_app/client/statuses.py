"""The state of a request as fal's client shows it, from a row or from events of the API."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ENDED = frozenset({"completed", "failed", "cancelled"})


@dataclass
class Status:
    """The base of the three states."""


@dataclass
class Queued(Status):
    """It waits: in fal's queue at this position, or to be sent, or for news of an uncertain submit (0)."""

    position: int


@dataclass
class InProgress(Status):
    """It runs. `logs` are all lines so far, or None when they were not asked for."""

    logs: list[dict[str, Any]] | None = field()


@dataclass
class Completed(Status):
    """It has ended, well or not: `error` says why not."""

    logs: list[dict[str, Any]] | None = field()
    metrics: dict[str, Any] = field()
    error: str | None = field(default=None)
    error_type: str | None = field(default=None)


def status_of(row: dict[str, Any], *, with_logs: bool) -> Status:
    """Return the state that a row of the API shows."""
    logs = [_line(one) for one in row.get("logs", ())] if with_logs else None
    return _status(row, row["queue_position"], logs)


def _status(row: dict[str, Any], position: int | None, logs: list[dict[str, Any]] | None) -> Status:
    if row["status"] == "in_progress":
        return InProgress(logs=logs)
    if row["status"] not in ENDED:
        return Queued(position=position or 0)
    is_cancelled = row["status"] == "cancelled"
    error = row["error"] or ("The request was cancelled." if is_cancelled else None)
    kind = row["error_type"] or ("cancelled" if is_cancelled else None)
    return Completed(logs=logs, metrics=row["metrics"], error=error, error_type=kind)


def _line(one: dict[str, Any]) -> dict[str, Any]:
    return {name: one[name] for name in ("timestamp", "level", "source", "message")}


class Progress:
    """The state of a request while its events come."""

    def __init__(self, *, with_logs: bool) -> None:
        self._logs: list[dict[str, Any]] | None = [] if with_logs else None
        self._row: dict[str, Any] = {"status": "pending"}
        self._position: int | None = None
        self._told: Status | None = None

    def after(self, name: str, data: dict[str, Any]) -> Status | None:
        """Take an event in; return the state it leads to, or None when that is no news."""
        if name == "log" and self._logs is not None:
            self._logs.append(_line(data))
        elif name == "end":
            self._row = data
        elif name == "status" and data["status"] not in ENDED:  # the end comes with all it has
            if data["status"] != self._row["status"] or "queue_position" in data["data"]:
                self._position = data["data"].get("queue_position")
            self._row = data
        else:
            return None
        logs = None if self._logs is None else list(self._logs)
        status = _status(self._row, self._position, logs)
        is_news, self._told = status != self._told, status
        return status if is_news else None
