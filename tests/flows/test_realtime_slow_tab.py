"""A tab that does not keep up: it is told of a gap, and the session goes on without it."""

from __future__ import annotations

import asyncio
from typing import Any

import msgpack
import pytest
from django.test import Client

from requests_app.models import FalRequest
from requests_app.relay import outbox as outbox_module
from tests.consumers.conftest import Open
from tests.consumers.sessions import CONNECT, PATH, frames, opened, send
from tests.fal.socket_peer import SocketPeer, says

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_tab_that_acknowledges_nothing_is_told_of_a_gap_and_goes_on_from_the_record(
    page: Open, as_owner: Client, fal: SocketPeer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(outbox_module, "WINDOW", 5_000)
    fal.act = says(*[msgpack.packb({"n": n, "x": "y" * 300}) for n in range(100)])
    socket = await page(as_owner, PATH)
    await socket.send_json_to(CONNECT)
    shown = 0
    while True:
        message = await socket.receive_json_from(timeout=30)
        if message["type"] == "frames":
            assert message["frames"][0]["number"] == shown + 1
            shown = message["last"]
        if message["type"] == "ended":
            break
    assert 0 < shown < 20
    row = await FalRequest.objects.aget()
    assert await row.frames.acount() == 100  # the session was never held up


async def test_what_a_tab_misses_it_finds_in_the_record_and_then_it_is_live_again(
    page: Open, as_owner: Client, fal: SocketPeer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(outbox_module, "WINDOW", 5_000)
    socket = await opened(page, as_owner)
    for number in range(50):
        await send(socket, {"n": number, "x": "y" * 300})
    gap = await socket.message("gap")
    row = await FalRequest.objects.aget()
    async with asyncio.timeout(30):
        while await row.frames.acount() < 100:
            await asyncio.sleep(0.02)
    record = [n async for n in row.frames.values_list("number", flat=True)]
    assert record == list(range(1, 101))
    await socket.send_json_to({"type": "ack", "number": 100})
    await send(socket, {"n": "live"})
    numbers = [frame["number"] for frame in await frames(socket, 2)]
    assert numbers == [101, 102]
    assert 0 < gap["from"] < 100


async def test_behind_the_end_of_a_full_record_a_slow_tab_is_told_what_it_has_missed(
    page: Open, as_owner: Client, fal: SocketPeer, monkeypatch: Any, settings: Any
) -> None:
    settings.RECORD_FRAMES = 3
    monkeypatch.setattr(outbox_module, "WINDOW", 5_000)
    socket = await opened(page, as_owner)
    for number in range(50):
        await send(socket, {"n": number, "x": "y" * 300})
    gap = await socket.message("gap")
    await asyncio.sleep(0.2)  # all of them are answered
    await socket.send_json_to({"type": "ack", "number": gap["from"]})
    missed = await socket.message("missed")
    assert missed["from"] == gap["from"] + 1
    frame, *_ = await frames(socket, 1)
    assert frame["number"] == missed["to"] + 1


async def test_a_full_record_is_told_once_and_the_session_goes_on(
    page: Open, as_owner: Client, fal: SocketPeer, settings: Any
) -> None:
    settings.RECORD_FRAMES = 3
    socket = await opened(page, as_owner)
    for number in range(4):
        await send(socket, {"n": number})
    told = await socket.message("capped")
    assert told["frame"] == 3 and "frames 1 to 3" in told["message"]
    assert "passed on and not kept" in told["message"]
    await send(socket, {"n": "on"})
    assert await socket.message("frames")
    await socket.send_json_to({"type": "disconnect"})
    await socket.message("ended")
    row = await FalRequest.objects.aget()
    assert await row.frames.acount() == 3
    assert await row.observations.filter(kind="capped").acount() == 1
    counted = await row.observations.aget(kind="counted")
    assert "the record holds the first 3" in counted.note and counted.data["count"] > 5
