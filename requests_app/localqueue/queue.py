"""What of fal's queue is asked about an own app, answered from the database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from requests_app import announce
from requests_app.localqueue import answers, jobs
from requests_app.localqueue.answers import LocalReply
from requests_app.localqueue.places import LocalPlace, Service
from requests_app.models import LocalJob

MOST_BODY = 32 * 1024 * 1024  # bytes
LOOK_EVERY_S = 0.5  # of a status stream
PING_EVERY = 30  # looks without news
_TRUE = ("1", "true", "yes")

DatabaseCall = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class QueueCall:
    """One call. `headers` have lower-case names; `team_pk`: of the program's key, None for our own worker."""

    method: str
    place: LocalPlace
    headers: Mapping[str, str]
    body: bytes
    team_pk: int | None = None
    webhook_fault: dict[str, Any] | None = None  # a rule of the fault lab


async def answer(asked: QueueCall, database: DatabaseCall) -> LocalReply:
    """Answer a call to fal's queue. `database` runs a blocking function off the loop."""
    if asked.place.service is Service.LIST:
        found: LocalReply = await database(_listed, asked)
        return found
    first, *rest = asked.place.path.split("/")
    if first != "requests" or not rest:
        return await _submitted(asked, database)
    return await _of_request(asked, rest[0], "/".join(rest[1:]), database)


async def _submitted(asked: QueueCall, database: DatabaseCall) -> LocalReply:
    if asked.method != "POST":
        return answers.told({"detail": "Method Not Allowed"}, 405, allow="POST")
    if len(asked.body) > MOST_BODY:
        return answers.TOO_LARGE
    reply: LocalReply = await database(_submit, asked)
    return reply


def _submit(asked: QueueCall) -> LocalReply:
    place, headers, now = asked.place, asked.headers, timezone.now()
    ahead, most = jobs.waiting(place.app.id).count(), place.query.get("fal_max_queue_length", "")
    if most.isascii() and most.isdecimal() and ahead > int(most):
        told = {"detail": f"Queue is longer than {most}", "error_type": "queue_too_long"}
        return answers.told(told, 429, x_fal_needs_retry="1")
    try:
        limit_s = _start_limit_s(headers)
    except ValueError:
        told = {
            "detail": "The start timeout is more than 0.1 seconds.",
            "error_type": "bad_request",
        }
        return answers.told(told, 400)
    job = LocalJob.objects.create(
        app=place.app.id, path=place.path, body=asked.body, team_pk=asked.team_pk,
        is_low=headers.get("x-fal-queue-priority", "").lower() == "low",
        has_no_retry=headers.get("x-fal-no-retry", "").lower() in _TRUE,
        start_by=now + timedelta(seconds=limit_s) if limit_s else None,
        accepted_at=now, due_at=now, webhook_url=place.query.get("fal_webhook", ""),
        webhook_fault=asked.webhook_fault,
    )  # fmt: skip
    announce.local_job_waits()
    return answers.receipt(job, jobs.position(job))


def _start_limit_s(headers: Mapping[str, str]) -> float:
    """Return the seconds in which it has to begin, 0 without a limit. Raises ValueError."""
    text = headers.get("x-fal-request-start-timeout") or headers.get("x-fal-request-timeout")
    if not text:
        return 0
    seconds = float(text)
    if not 0.1 < seconds < 1e8:
        raise ValueError(text)
    return seconds


async def _of_request(
    asked: QueueCall, request_id: str, operation: str, database: DatabaseCall
) -> LocalReply:
    wanted = "PUT" if operation == "cancel" else "GET"
    if asked.method != wanted:
        return answers.told({"detail": "Method Not Allowed"}, 405, allow=wanted)
    if operation == "status/stream":
        if await database(_status_of, asked, request_id) is None:
            return answers.NOT_FOUND
        kind = {"content-type": "text/event-stream", "cache-control": "no-cache"}
        return LocalReply(200, headers=kind, events=_statuses(asked, request_id, database))
    reply: LocalReply = await database(_told, asked, request_id, operation)
    return reply


def _told(asked: QueueCall, request_id: str, operation: str) -> LocalReply:
    job = jobs.find(asked.place.app.id, request_id, asked.team_pk)
    if job is None:
        return answers.NOT_FOUND
    if operation == "status":
        return answers.status(job, jobs.position(job), logs=_wants_logs(asked))
    if operation in ("", "response"):
        return answers.result(job)
    if operation == "cancel":
        if job.ended_at:
            return answers.TOO_LATE
        jobs.ask_cancel(job, timezone.now())
        return answers.CANCELLING
    return answers.told({"detail": f"Path /{operation} not found"}, 404)


def _status_of(asked: QueueCall, request_id: str) -> dict[str, Any] | None:
    job = jobs.find(asked.place.app.id, request_id, asked.team_pk)
    return answers.status_of(job, jobs.position(job), logs=_wants_logs(asked)) if job else None


async def _statuses(
    asked: QueueCall, request_id: str, database: DatabaseCall
) -> AsyncIterator[bytes]:
    """Yield the status whenever it changes, up to the end."""
    last, same = None, 0
    while (status := await database(_status_of, asked, request_id)) is not None:
        if status != last:
            yield b"data: " + json.dumps(status).encode() + b"\n\n"
        elif (same := same + 1) % PING_EVERY == 0:
            yield b": ping\n\n"
        last = status
        if status["status"] == "COMPLETED":
            return
        await asyncio.sleep(LOOK_EVERY_S)


def _listed(asked: QueueCall) -> LocalReply:
    place = asked.place
    found = LocalJob.objects.filter(app=place.app.id).order_by("-pk")
    path = place.query["endpoint_id"].removeprefix(place.app.id).strip("/")
    return answers.listed(list(found.filter(path=path).defer("output")[:100]))


def _wants_logs(asked: QueueCall) -> bool:
    return asked.place.query.get("logs", "").lower() in _TRUE
