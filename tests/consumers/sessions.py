"""Realtime sessions for tests: a socket instead of fal, and the tab's side of the talk."""

from __future__ import annotations

import asyncio
from typing import Any

from django.test import Client

from requests_app.models import FalRequest
from tests.consumers.conftest import Open, Socket

PATH = "/ws/realtime/"
CONNECT = {"type": "connect", "endpoint": "acme/live", "auth": "key"}


async def opened(page: Open, client: Client, **wish: Any) -> Socket:
    socket = await page(client, PATH)
    await socket.send_json_to(CONNECT | wish)
    await socket.message("session")
    await socket.message("open")
    return socket


async def send(socket: Socket, value: Any, **more: Any) -> None:
    await socket.send_json_to({"type": "send", "value": value} | more)


async def frames(socket: Socket, count: int) -> list[dict[str, Any]]:
    got: list[dict[str, Any]] = []
    while len(got) < count:
        got += (await socket.message("frames"))["frames"]
    return got


async def ended(page: Open, client: Client) -> tuple[dict[str, Any], FalRequest]:
    """A session that ends by itself: what the tab was told, and the row."""
    socket = await page(client, PATH)
    await socket.send_json_to(CONNECT)
    end = await socket.message("ended")
    return end, await FalRequest.objects.aget()


async def settled() -> FalRequest:
    async with asyncio.timeout(30):
        while not (row := await FalRequest.objects.aget()).is_ended:
            await asyncio.sleep(0.02)
    return row
