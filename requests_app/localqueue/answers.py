"""What fal would answer about a job, in fal's shapes. Pure."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from requests_app.models import LocalJob

JSON = "application/json"


@dataclass(frozen=True)
class LocalReply:
    """An answer; `events` in place of a body that comes bit by bit."""

    status_code: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": JSON})
    events: AsyncIterator[bytes] | None = None


def told(value: object, status_code: int = 200, **headers: str) -> LocalReply:
    """Return a value as JSON."""
    body = json.dumps(value, separators=(",", ":")).encode()
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return LocalReply(status_code, body, {"content-type": JSON, **named})


NOT_FOUND = told({"status": "NOT_FOUND"}, 404)
NOT_FINISHED = told({"detail": "Request is still in progress"}, 400)
CANCELLING = told({"status": "CANCELLATION_REQUESTED"}, 202)
TOO_LATE = told({"status": "ALREADY_COMPLETED"}, 400)
TOO_LARGE = told({"detail": "The input is too large."}, 413)


def receipt(job: LocalJob, ahead: int) -> LocalReply:
    """Answer a submit."""
    ids = {"request_id": str(job.request_id), "gateway_request_id": str(job.request_id)}
    where = {"status": "IN_QUEUE", "queue_position": ahead, **_urls(job)}
    return told(ids | where, x_fal_request_id=str(job.request_id))


def status(job: LocalJob, ahead: int, *, logs: bool) -> LocalReply:
    """Answer a poll."""
    code = 200 if job.ended_at else 202
    return told(status_of(job, ahead, logs=logs), code, x_fal_request_id=str(job.request_id))


def status_of(job: LocalJob, ahead: int, *, logs: bool) -> dict[str, Any]:
    """Return fal's status object."""
    found: dict[str, Any] = {"request_id": str(job.request_id), **_urls(job)}
    if job.ended_at is None and not job.is_at_work:
        return found | {"status": "IN_QUEUE", "queue_position": ahead, "metrics": {}}
    found |= {"logs": job.logs if logs else None, "metrics": {}}
    if job.ended_at is None:
        return found | {"status": "IN_PROGRESS"}
    found["status"] = "COMPLETED"
    if job.started_at:
        found["metrics"] = {"inference_time": (job.ended_at - job.started_at).total_seconds()}
    if job.error:
        found["error"] = job.error
    return found | ({"error_type": job.error_type} if job.error_type else {})


def result(job: LocalJob) -> LocalReply:
    """Answer with the app's own answer, as it came."""
    if job.ended_at is None or job.status_code is None:
        return NOT_FINISHED
    headers = {**job.headers, "x-fal-request-id": str(job.request_id)}
    return LocalReply(job.status_code, bytes(job.output), headers)


def listed(jobs: list[LocalJob]) -> LocalReply:
    """Answer the list of an app's requests, in which a submit without an answer is looked for."""
    items = [
        {
            "request_id": str(job.request_id),
            "endpoint_id": job.endpoint_id,
            "sent_at": _stamp(job.accepted_at),
            "started_at": _stamp(job.started_at),
            "ended_at": _stamp(job.ended_at),
            "status_code": job.status_code,
            "json_input": bytes(job.body).decode(errors="replace"),
        }
        for job in jobs
    ]
    return told({"items": items, "next_cursor": None, "has_more": False})


def _urls(job: LocalJob) -> dict[str, str]:
    base = f"{settings.FAL_QUEUE_URL}/{job.app}/requests/{job.request_id}"
    return {"status_url": f"{base}/status", "response_url": base, "cancel_url": f"{base}/cancel"}


def _stamp(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z") if moment else None
