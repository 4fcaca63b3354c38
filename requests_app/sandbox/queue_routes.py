"""`/queue/...`: submit, status, status stream, result and cancel."""

from __future__ import annotations

import asyncio
import re
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from . import ids
from .ids import EndpointId
from .misbehave import misbehave
from .models import APPS
from .record import LOW, NORMAL, QueuedRequest, status_object, urls
from .replies import (
    app_not_found,
    infrastructure_error,
    json_response,
    method_not_allowed,
    to_json,
    unauthorized,
)
from .sandbox import sandbox_of, user_of

REQUEST_PATH = re.compile(r"(?P<app>.+?)/requests/(?P<request_id>[^/]+)(?P<rest>/.*)?")
TRUE = ("1", "true", "yes")
MIN_START_TIMEOUT_S = 0.1
EVENT_STREAM = "text/event-stream"
NOT_FOUND = {"status": "NOT_FOUND"}

Operation = Callable[[Request, QueuedRequest], Awaitable[Response]]


class BadHeader(ValueError):
    """A platform header fal would not take."""


async def queue(request: Request) -> Response:
    """Everything below /queue: the id may hold any number of segments, so it is split here."""
    user_id = user_of(request)
    if user_id is None:
        return unauthorized()
    path = request.path_params["path"].strip("/")
    found = REQUEST_PATH.fullmatch(path)
    endpoint_id = ids.parse(found["app"] if found else path)
    if endpoint_id is None or endpoint_id.app not in APPS:
        return app_not_found(path)
    if found is None:
        return await _submit(request, endpoint_id, user_id)
    return await _operate(request, endpoint_id, user_id, found["request_id"], found["rest"] or "")


async def _submit(request: Request, endpoint_id: EndpointId, user_id: str) -> Response:
    if request.method != "POST":
        return method_not_allowed("POST")
    sandbox = sandbox_of(request)
    rule = sandbox.faults.take("submit", str(endpoint_id))

    async def work() -> Response:
        refused = _too_long(request, sandbox.queue.length(endpoint_id))
        if refused is not None:
            return refused
        try:
            accepted = await _read_submit(request, endpoint_id, user_id)
        except BadHeader as exc:
            return infrastructure_error(400, "bad_request", str(exc)).response("")
        sandbox.ledger.add(
            "submit", accepted.id, str(endpoint_id), accepted.body, accepted.webhook_url
        )
        sandbox.queue.accept(accepted)
        reply = _receipt(sandbox.settings.base_url, accepted, sandbox.queue.position(accepted))
        if rule is not None and rule.do == "lose":
            sandbox.queue.lose(accepted)
        return reply

    return await misbehave(rule, request, work)


def _too_long(request: Request, length: int) -> Response | None:
    limit = request.query_params.get("fal_max_queue_length", "")
    if not limit.isdecimal() or length <= int(limit):
        return None
    body = {"detail": f"Queue is longer than {limit}", "error_type": "queue_too_long"}
    return json_response(body, 429, {"X-Fal-Needs-Retry": "1"})


async def _read_submit(request: Request, endpoint_id: EndpointId, user_id: str) -> QueuedRequest:
    headers = request.headers
    return QueuedRequest(
        id=str(uuid.uuid4()),
        user_id=user_id,
        endpoint_id=endpoint_id,
        body=await request.body(),
        accepted_at=time.time(),
        # fal ignores words it does not know, and "low" is the only one that changes anything.
        priority=LOW if headers.get("x-fal-queue-priority", "").lower() == LOW else NORMAL,
        webhook_url=request.query_params.get("fal_webhook") or None,
        start_timeout_s=start_timeout(request),
        no_retry=headers.get("x-fal-no-retry", "").lower() in TRUE,
    )


def start_timeout(request: Request) -> float | None:
    """Seconds. The new header wins over the old name. Raises BadHeader."""
    headers = request.headers
    name = "x-fal-request-start-timeout"
    text = headers.get(name) or headers.get("x-fal-request-timeout")
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        raise BadHeader(f"{name} must be a number of seconds") from None
    if not MIN_START_TIMEOUT_S < seconds < float("inf"):
        raise BadHeader(f"{name} must be greater than {MIN_START_TIMEOUT_S}")
    return seconds


def _receipt(base_url: str, request: QueuedRequest, position: int | None) -> Response:
    body: dict[str, object] = {
        "status": "IN_QUEUE",
        "request_id": request.id,
        "gateway_request_id": request.gateway_id,
        **urls(base_url, request),
        "logs": None,
        "metrics": {},
        "queue_position": position or 0,
    }
    return json_response(body, headers={"x-fal-request-id": request.id})


async def _operate(
    request: Request, endpoint_id: EndpointId, user_id: str, request_id: str, rest: str
) -> Response:
    if rest.strip("/") not in OPERATIONS:
        return json_response({"detail": f"Path {rest} not found"}, 404)
    when, method, operation = OPERATIONS[rest.strip("/")]
    if request.method != method:
        return method_not_allowed(method)
    sandbox = sandbox_of(request)
    record = sandbox.queue.get(request_id, endpoint_id.app, user_id)
    if record is None:
        return json_response(NOT_FOUND, 404)
    known = record
    rule = sandbox.faults.take(when, str(record.endpoint_id))
    return await misbehave(rule, request, lambda: operation(request, known))


def _wants_logs(request: Request) -> bool:
    return request.query_params.get("logs", "").lower() in TRUE


async def _status(request: Request, record: QueuedRequest) -> Response:
    sandbox = sandbox_of(request)
    window_s = sandbox.settings.tuning.log_window_s
    logs = record.window(time.time(), window_s) if _wants_logs(request) else None
    position = sandbox.queue.position(record)
    body = status_object(sandbox.settings.base_url, record, position, logs)
    return json_response(body, 200 if record.ended else 202, {"x-fal-request-id": record.id})


async def _status_stream(request: Request, record: QueuedRequest) -> Response:
    headers = {"x-fal-request-id": record.id, "cache-control": "no-cache"}
    return StreamingResponse(_changes(request, record), 200, headers, media_type=EVENT_STREAM)


async def _changes(request: Request, record: QueuedRequest) -> AsyncIterator[bytes]:
    """An event per change until the end; each carries only the log lines that are new."""
    sandbox = sandbox_of(request)
    tuning, sent, wants_logs = sandbox.settings.tuning, 0, _wants_logs(request)
    fresh = record.window(time.time(), tuning.log_window_s)
    while True:
        # All of it before the yield: while a slow caller takes the event, the state moves on.
        changed, ended = record.changed, record.ended
        sent = len(record.logs) if record.status != "IN_QUEUE" else sent
        position = sandbox.queue.position(record)
        base_url, lines = sandbox.settings.base_url, fresh if wants_logs else None
        yield b"data: " + to_json(status_object(base_url, record, position, lines)) + b"\n\n"
        if ended:
            return
        while not await _happens(changed, tuning.ping_s):
            yield b": ping\n\n"
        fresh = record.logs[sent:]


async def _happens(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True


async def _result(_request: Request, record: QueuedRequest) -> Response:
    if record.reply is None:
        return json_response({"detail": "Request is still in progress"}, 400)
    return record.reply.response(record.id)


async def _cancel(request: Request, record: QueuedRequest) -> Response:
    status_code, word = sandbox_of(request).queue.cancel(record)
    return json_response({"status": word}, status_code, {"x-fal-request-id": record.id})


OPERATIONS: dict[str, tuple[str, str, Operation]] = {
    "": ("result", "GET", _result),
    "response": ("result", "GET", _result),
    "status": ("status", "GET", _status),
    "status/stream": ("status_stream", "GET", _status_stream),
    "cancel": ("cancel", "PUT", _cancel),
}
