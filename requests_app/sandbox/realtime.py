"""The websocket `/run/{id}/realtime`: msgpack in and out, control messages as JSON text."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

import msgpack
from starlette.websockets import WebSocket, WebSocketDisconnect

from . import ids
from .ids import EndpointId
from .models import find
from .models.base import Endpoint
from .sandbox import sandbox_of, user_of

REALTIME = "realtime"
MAX_BUFFERING = 60
EXPIRED = {"status": "error", "error": "Unauthorized"}
IDLE = "no inputs, reconnect when needed!"


async def connect(websocket: WebSocket) -> None:
    endpoint_id = ids.parse(websocket.path_params["path"])
    endpoint = _endpoint(endpoint_id)
    if endpoint_id is None or endpoint is None:
        return await websocket.close()  # Before the handshake: the caller sees a 403.
    permit = _permit(websocket, endpoint_id)
    if permit is False:
        return await websocket.close()
    await websocket.accept()
    if permit is None:
        await websocket.send_text(json.dumps(EXPIRED))
        return await websocket.close(1008)
    await Session(websocket, endpoint, sandbox_of(websocket).settings.tuning.realtime_idle_s).run()
    return None


def _endpoint(endpoint_id: EndpointId | None) -> Endpoint | None:
    if endpoint_id is None:
        return None
    head, _, tail = endpoint_id.path.rpartition("/")
    endpoint = find(EndpointId(endpoint_id.app, head)) if tail == REALTIME else None
    return endpoint if endpoint and endpoint.realtime else None


def _permit(websocket: WebSocket, endpoint_id: EndpointId) -> bool | None:
    """None = a good token that has expired (what fal does then is UNCONFIRMED)."""
    token = websocket.query_params.get("fal_jwt_token")
    if token is None:
        return user_of(websocket) is not None
    claims = sandbox_of(websocket).tokens.read(token)
    # Old tokens name the alias, new ones the full id with or without /realtime.
    names = {endpoint_id.alias, str(endpoint_id), str(endpoint_id).removesuffix(f"/{REALTIME}")}
    if claims is None or not names & set(claims.apps):
        return False
    return None if claims.expired else True


class Session:
    """One open socket: a reader fills a short buffer, a worker answers from it."""

    def __init__(self, websocket: WebSocket, endpoint: Endpoint, idle_s: float) -> None:
        self._websocket, self._endpoint, self._idle_s = websocket, endpoint, idle_s
        # When the buffer is full, the oldest input falls out, as on fal.
        self._inputs: deque[dict[str, Any]] = deque(maxlen=_buffering(websocket))
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        worker = asyncio.ensure_future(self._work())
        reader = asyncio.ensure_future(self._read())
        try:
            await asyncio.wait((worker, reader), return_when=asyncio.FIRST_COMPLETED)
            failure = next((t.exception() for t in (worker, reader) if t.done()), None)
            await self._finish(failure)
        finally:
            worker.cancel()
            reader.cancel()
            await asyncio.gather(worker, reader, return_exceptions=True)

    async def _read(self) -> None:
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                raise WebSocketDisconnect(message.get("code", 1000))
            # fal's template reads bytes only: a text frame fails with this very KeyError.
            self._inputs.append(_decoded(message["bytes"]))
            self._arrived.set()

    async def _work(self) -> None:
        """Raises TimeoutError when no input came for the idle time."""
        while True:
            if not self._inputs:
                self._arrived.clear()
                async with asyncio.timeout(self._idle_s):
                    await self._arrived.wait()
            await self._answer(self._inputs.popleft())

    async def _answer(self, given: dict[str, Any]) -> None:
        if self._endpoint.realtime is None:
            return
        async for output in self._endpoint.realtime(given):
            await self._websocket.send_bytes(msgpack.packb(output))

    async def _finish(self, failure: BaseException | None) -> None:
        """TIMEOUT is the normal end of a session; every other failure tells its text."""
        if failure is None or isinstance(failure, WebSocketDisconnect):
            return
        if isinstance(failure, TimeoutError):
            await self._control("TIMEOUT", IDLE)
        else:
            await self._control("INTERNAL_ERROR", str(failure))

    async def _control(self, error: str, reason: str) -> None:
        message = {"type": "x-fal-error", "error": error, "reason": reason}
        try:
            await self._websocket.send_text(json.dumps(message))
            await self._websocket.close()
        except (WebSocketDisconnect, RuntimeError):
            return  # The caller was quicker.


def _buffering(websocket: WebSocket) -> int:
    text = websocket.query_params.get("max_buffering", "")
    wanted = int(text) if text.isdecimal() else MAX_BUFFERING
    return min(max(wanted, 1), MAX_BUFFERING)


def _decoded(frame: bytes) -> dict[str, Any]:
    message = msgpack.unpackb(frame)
    if not isinstance(message, dict):
        raise TypeError("a map is expected")
    return message
