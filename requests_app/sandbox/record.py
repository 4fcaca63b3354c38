"""One accepted queue request, and the status object that speaks of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .ids import EndpointId
from .replies import Reply

IN_QUEUE = "IN_QUEUE"
IN_PROGRESS = "IN_PROGRESS"
COMPLETED = "COMPLETED"
NORMAL = "normal"
LOW = "low"


@dataclass(frozen=True)
class LogMessage:
    at: float
    """Unix time, seconds."""
    message: str
    level: str = "INFO"

    def as_json(self) -> dict[str, Any]:
        moment = datetime.fromtimestamp(self.at, UTC).replace(tzinfo=None)
        return {
            "timestamp": moment.isoformat(timespec="microseconds"),
            "message": self.message,
            "level": self.level,
            "source": "USER",
            "labels": {},
        }


@dataclass
class QueuedRequest:
    """`status` follows IN_QUEUE -> IN_PROGRESS -> COMPLETED, and back to IN_QUEUE on a retry."""

    id: str
    user_id: str
    endpoint_id: EndpointId
    body: bytes
    accepted_at: float
    priority: str = NORMAL
    webhook_url: str | None = None
    start_timeout_s: float | None = None
    no_retry: bool = False
    gateway_id: str = ""
    status: str = IN_QUEUE
    attempts: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    reply: Reply | None = None
    error: str | None = None
    cancel_requested: asyncio.Event = field(default_factory=asyncio.Event)
    logs: list[LogMessage] = field(default_factory=list)
    webhook_done: bool = False
    _changed: asyncio.Event | None = None

    @property
    def changed(self) -> asyncio.Event:
        """Set when the present state changes. Made for those who ask: most are never watched."""
        if self._changed is None:
            self._changed = asyncio.Event()
        return self._changed

    @property
    def ended(self) -> bool:
        return self.status == COMPLETED

    def notify(self) -> None:
        """Wakes everybody who waits for the present state to change."""
        if self._changed is not None:
            self._changed.set()
            self._changed = None

    def log(self, message: str, level: str, now: float) -> None:
        self.logs.append(LogMessage(now, message, level))
        self.notify()

    def window(self, now: float, seconds: float) -> list[LogMessage]:
        """The lines a status reply still carries: a moving window that ends with the request."""
        end = self.ended_at or now
        return [line for line in self.logs if line.at >= end - seconds]

    def metrics(self) -> dict[str, float]:
        if self.ended_at is None or self.started_at is None:
            return {}
        return {"inference_time": self.ended_at - self.started_at}


def urls(base_url: str, request: QueuedRequest) -> dict[str, str]:
    """Without the endpoint's sub-path, as fal's clients build them."""
    root = f"{base_url}/queue/{request.endpoint_id.app}/requests/{request.id}"
    return {"response_url": root, "status_url": f"{root}/status", "cancel_url": f"{root}/cancel"}


def status_object(
    base_url: str, request: QueuedRequest, position: int | None, logs: list[LogMessage] | None
) -> dict[str, Any]:
    """The body of a status reply; `logs=None` stands for "not asked for"."""
    report: dict[str, Any] = {
        "status": request.status,
        "request_id": request.id,
        **urls(base_url, request),
        "metrics": request.metrics(),
    }
    if request.status == IN_QUEUE:
        return report | {"queue_position": position or 0}
    report["logs"] = None if logs is None else [line.as_json() for line in logs]
    if request.error is not None:
        report["error"] = request.error
        if request.reply is not None and request.reply.error_type:
            report["error_type"] = request.reply.error_type
    return report
