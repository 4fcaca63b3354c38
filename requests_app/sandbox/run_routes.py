"""`/run/...`: the synchronous call and the SSE stream. Neither queues, neither is retried."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from . import ids, runner
from .ids import EndpointId
from .misbehave import misbehave
from .models import APPS, find
from .models.base import Context, Endpoint, ModelError
from .queue_routes import EVENT_STREAM, BadHeader, start_timeout
from .replies import (
    app_not_found,
    infrastructure_error,
    method_not_allowed,
    model_error,
    path_not_found,
    unauthorized,
)
from .sandbox import Sandbox, sandbox_of, user_of

STREAM = "stream"


async def run(request: Request) -> Response:
    if user_of(request) is None:
        return unauthorized()
    path = request.path_params["path"].strip("/")
    endpoint_id = ids.parse(path)
    if endpoint_id is None or endpoint_id.app not in APPS:
        return app_not_found(path)
    if request.method != "POST":
        return method_not_allowed("POST")
    try:
        start_timeout(request)  # Nothing waits here, but a bad header is refused all the same.
    except BadHeader as exc:
        return infrastructure_error(400, "bad_request", str(exc)).response(str(uuid.uuid4()))
    return await _dispatch(request, endpoint_id)


async def _dispatch(request: Request, endpoint_id: EndpointId) -> Response:
    streamed = _streamed(endpoint_id)
    sandbox, request_id = sandbox_of(request), str(uuid.uuid4())
    endpoint = streamed or find(endpoint_id)
    if endpoint is None:
        return path_not_found(endpoint_id.path).response(request_id)
    kind = "stream" if streamed else "run"
    rule = sandbox.faults.take(kind, endpoint.id)
    model: Endpoint = endpoint

    async def work() -> Response:
        body = await request.body()
        sandbox.ledger.add(kind, request_id, model.id, body)
        context = Context(
            request_id, _drop_log, sandbox.save_file,
            file=sandbox.store.file, pace=sandbox.settings.tuning.pace,
        )  # fmt: skip
        if streamed:
            return _stream(sandbox, model, body, context)
        return await _run(request, model, body, context)

    return await misbehave(rule, request, work)


def _streamed(endpoint_id: EndpointId) -> Endpoint | None:
    """The endpoint whose stream this path is."""
    head, _, tail = endpoint_id.path.rpartition("/")
    if tail != STREAM:
        return None
    endpoint = find(EndpointId(endpoint_id.app, head))
    return endpoint if endpoint and endpoint.stream else None


def _drop_log(_message: str, _level: str) -> None:
    """A direct call has no log that anybody could fetch."""


async def _run(request: Request, endpoint: Endpoint, body: bytes, context: Context) -> Response:
    """A caller that hangs up aborts the call."""
    work = asyncio.ensure_future(runner.execute(endpoint, body, context))
    gone = asyncio.ensure_future(_hang_up(request))
    try:
        await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result().response(context.request_id)
        reply = infrastructure_error(499, "client_disconnected", "Client disconnected")
        return reply.response(context.request_id)
    finally:
        work.cancel()
        gone.cancel()


async def _hang_up(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _stream(sandbox: Sandbox, endpoint: Endpoint, body: bytes, context: Context) -> Response:
    try:
        given = runner.read_input(endpoint, body)
    except ModelError as exc:
        return model_error(exc.status_code, exc.detail).response(context.request_id)
    headers = {"x-fal-request-id": context.request_id, "cache-control": "no-cache"}
    frames = _frames(runner.events(endpoint, given, context))
    return StreamingResponse(frames, 200, headers, media_type=EVENT_STREAM)


async def _frames(events: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    async for event in events:
        yield b"data: " + event + b"\n\n"
