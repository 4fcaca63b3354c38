"""Sockets as a browser opens them: through the whole application, with cookie and Origin."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings as django_settings
from django.test import Client

from dashboard.asgi import application
from requests_app.consumers import realtime
from requests_app.models import FalRequest
from requests_app.worker.loop import worker_loop
from tests.browsers import made_for
from tests.fal.socket_peer import SocketPeer

Open = Callable[..., Any]


class Socket(WebsocketCommunicator):
    """One page's socket; messages are waited for as long as a slow machine needs."""

    made_for: str = ""  # what the page says of itself

    async def send_json_to(self, data: Any) -> None:
        """As the page's script: a session is for the page's team."""
        is_connect = isinstance(data, dict) and data.get("type") == "connect"
        await super().send_json_to({"made_for": self.made_for, **data} if is_connect else data)

    async def message(self, kind: str) -> dict[str, Any]:
        """The next message of that type; others are passed over."""
        async with asyncio.timeout(30):
            while True:
                message = await self.receive_json_from(timeout=30)
                if message["type"] == kind:
                    return message

    async def close_code(self) -> int:
        """The code with which the server closes; messages before it are passed over."""
        async with asyncio.timeout(30):
            while True:
                event = await self.receive_output(timeout=30)
                if event["type"] == "websocket.close":
                    return int(event["code"])


def headers_of(client: Client) -> list[tuple[bytes, bytes]]:
    cookie = client.cookies.get(django_settings.SESSION_COOKIE_NAME)
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost")]
    return [*headers, (b"cookie", f"{cookie.key}={cookie.value}".encode())] if cookie else headers


@pytest.fixture
def row(queued: FalRequest) -> FalRequest:
    """The request that most sockets are about: in fal's queue."""
    return queued


@pytest.fixture
async def page() -> AsyncIterator[Open]:
    """Open a socket as the browser of this client does."""
    opened: list[Socket] = []

    async def connect(client: Client, path: str = "/ws/") -> Socket:
        socket = Socket(application, path, headers=headers_of(client))
        socket.made_for = str(await sync_to_async(made_for)(client) or "")
        opened.append(socket)
        accepted, _ = await socket.connect(timeout=30)
        assert accepted
        return socket

    yield connect
    for socket in opened:
        await socket.disconnect(timeout=30)


@pytest.fixture
async def fal(settings: Any) -> AsyncIterator[SocketPeer]:
    """Instead of fal: a socket that echoes, or acts as the test tells it."""
    async with SocketPeer() as peer:
        settings.FAL_REALTIME_URL, settings.FAL_KEY = peer.url, "id:secret"
        yield peer
    await asyncio.gather(*realtime._sessions)  # what hangs up after its tab has gone
    await sync_to_async(worker_loop.stop)(1)
