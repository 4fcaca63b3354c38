"""Spoils replies as a fault rule says. What happens before and what after the real work differs:
a caller must tell "never arrived" from "arrived, and the answer was lost"."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from requests_app.faults.refusals import refusal
from requests_app.faults.rules import EVENTS, Rule

from .replies import JSON, infrastructure_error, json_response, unauthorized

Work = Callable[[], Awaitable[Response]]


class Abort(Response):
    """Sends no reply: closes the connection, politely (FIN) or with a reset (RST)."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__()
        self.reset = reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        abort(scope, reset=self.reset)
        while (await receive())["type"] != "http.disconnect":
            pass


class CutBody(Response):
    """Promises the whole body, sends half of it and closes the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = self.raw_headers
        await send({"type": "http.response.start", "status": self.status_code, "headers": headers})
        half = bytes(self.body)[: len(self.body) // 2]
        await send({"type": "http.response.body", "body": half, "more_body": True})
        await asyncio.sleep(0.01)
        abort(scope, reset=False)


def abort(scope: Scope, *, reset: bool) -> None:
    transport: asyncio.Transport = scope["state"]["transport"]
    if reset:
        sock = transport.get_extra_info("socket")
        # Linger with time 0 makes close() send RST instead of FIN.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort() if reset else transport.close()


async def misbehave(rule: Rule | None, request: Request, work: Work) -> Response:
    """The reply to `request`, spoilt by `rule`; `work` does the real thing."""
    if rule is None:
        return await work()
    if rule.do == "delay":
        await asyncio.sleep(rule.seconds)
        return await work()
    if (instead := _instead(rule, request)) is not None:
        # Heard to the end first: a caller still sending would see another error than it should.
        await request.body()
        return instead
    reply = await work()
    return await _spoil_stream(rule, request, reply) if rule.do in EVENTS else _spoil(rule, reply)


def _instead(rule: Rule, request: Request) -> Response | None:
    """A reply without any work done."""
    if told := refusal(rule):
        return Response(told.body, told.status_code, told.headers, media_type=told.media_type)
    match rule.do:
        case "reset_before" | "drop_before":
            return Abort(reset=rule.do == "reset_before")
        case "500_json":
            return infrastructure_error(500, "internal_error", "Internal error").response("")
        case "401":
            return unauthorized()
        case "403":
            text = "User is locked. Reason: Exhausted balance."
            return json_response({"detail": text}, 403)
        case "not_found":
            return json_response({"status": "NOT_FOUND"}, 404)
        case "redirect":
            return RedirectResponse(str(request.url) + "/elsewhere", 307)
        case "html_200":
            return Response("<html><body>Welcome</body></html>", media_type="text/html")
        case "ignore":
            return json_response({"status": "CANCELLATION_REQUESTED"}, 202)
        case "in_progress":
            return json_response({"detail": "Request is still in progress"}, 400)
    return None


def _spoil(rule: Rule, reply: Response) -> Response:
    """The work is done; only its answer goes wrong."""
    if rule.do in ("drop_reply_after_accepting", "reset_after_accepting"):
        return Abort(reset=rule.do == "reset_after_accepting")
    if rule.do == "empty_200":
        return Response(b"", 200, media_type=JSON)
    if rule.do == "wrong_type":
        return Response(b'["unexpected"]', reply.status_code, media_type=JSON)
    body = bytes(reply.body)
    if rule.do == "truncate_json":
        return Response(body[: len(body) // 2], reply.status_code, media_type=JSON)
    if rule.do == "cut_body":
        return CutBody(body, reply.status_code, media_type=JSON)
    if reply.status_code >= 400:
        return reply
    return json_response(_rewritten(rule.do, json.loads(body)), reply.status_code)


def _rewritten(do: str, data: dict[str, Any]) -> dict[str, Any]:
    match do:
        case "bad_urls":
            return {name: _elsewhere(name, value) for name, value in data.items()}
        case "no_id":
            return {name: value for name, value in data.items() if name != "request_id"}
        case "go_backwards":
            return data | {"status": "IN_QUEUE", "queue_position": 7, "metrics": {}}
        case "unknown_status":
            return data | {"status": "MEDITATING"}
        case "no_logs":
            return {name: value for name, value in data.items() if name != "logs"}
    return data


def _elsewhere(name: str, value: Any) -> Any:
    return "http://elsewhere.invalid/stolen" if name.endswith("_url") else value


async def _spoil_stream(rule: Rule, request: Request, reply: Response) -> Response:
    if not isinstance(reply, StreamingResponse):
        return reply
    frames = _frames(rule, request, reply)
    return StreamingResponse(frames, reply.status_code, dict(reply.headers))


async def _frames(rule: Rule, request: Request, reply: StreamingResponse) -> AsyncIterator[bytes]:
    passed = 0
    async for chunk in reply.body_iterator:
        frame = bytes(chunk, "utf-8") if isinstance(chunk, str) else bytes(chunk)
        if rule.do == "split_bytes":
            for byte in frame:
                yield bytes([byte])
            continue
        if passed == rule.after:
            async for late in _strike(rule, request):
                yield late
        yield frame
        passed += 1


async def _strike(rule: Rule, request: Request) -> AsyncIterator[bytes]:
    if rule.do == "silence":
        await asyncio.sleep(rule.seconds)
    elif rule.do == "bad_json":
        yield b'data: {"output": "half a fra\n\n'
    else:
        abort(request.scope, reset=rule.do == "reset")
        # Until the server notices and cancels this stream: nothing more may leave.
        await asyncio.Event().wait()
