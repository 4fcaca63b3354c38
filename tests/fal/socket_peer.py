"""A scripted WebSocket peer on a real loopback socket: it keeps what it got and does as told."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

Act = Callable[[ServerConnection], Awaitable[None]]
"""What the peer does with an open socket; when it returns, the socket is closed with 1000."""


async def echo(socket: ServerConnection) -> None:
    async for message in socket:
        await socket.send(message)


def says(*messages: bytes | str, code: int = 1000, reason: str = "") -> Act:
    async def act(socket: ServerConnection) -> None:
        for message in messages:
            await socket.send(message)
        await socket.close(code, reason)

    return act


def after_first(then: Act) -> Act:
    async def act(socket: ServerConnection) -> None:
        await socket.recv()
        await then(socket)

    return act


async def cut(socket: ServerConnection) -> None:
    socket.transport.abort()


def raw(data: bytes) -> Act:
    """Bytes straight onto the connection, past the protocol."""

    async def act(socket: ServerConnection) -> None:
        socket.transport.write(data)
        await socket.wait_closed()

    return act


async def stand_still(socket: ServerConnection) -> None:
    """Never reads: not messages, not pings, not a goodbye."""
    socket.transport.pause_reading()
    await asyncio.sleep(3600)


@dataclass
class SocketPeer:
    """Accepts and acts, or refuses the handshake with ``refusal`` (status, headers, body)."""

    act: Act = echo
    refusal: tuple[int, dict[str, str], bytes] | None = None
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    url: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def __aenter__(self) -> SocketPeer:
        self._server: Server = await serve(
            self._handle, "127.0.0.1", 0, process_request=self._judge,
            ssl=self.tls, max_size=None, close_timeout=0.2,
        )  # fmt: skip
        scheme = "wss" if self.tls else "ws"
        self.url = f"{scheme}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        for socket in list(self._server.connections):
            socket.transport.abort()
        for task in list(self._tasks):
            task.cancel()
        self._server.close()
        await self._server.wait_closed()

    def _judge(self, socket: ServerConnection, request: Request) -> Response | None:
        self.requests.append(request)
        if self.refusal is None:
            return None
        status, headers, body = self.refusal
        response = socket.respond(status, body.decode())
        response.headers.update(headers)
        return response

    async def _handle(self, socket: ServerConnection) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self.act(socket)
        except asyncio.CancelledError:
            pass
        finally:
            self._tasks.discard(task)
