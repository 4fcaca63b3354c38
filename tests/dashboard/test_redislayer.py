"""The layer of several processes, on a real Redis: a thread sends at once, and waits for nobody."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ConnectionError, TimeoutError

from dashboard.redislayer import RedisLayer
from tests.redisserver import RedisServer

TIMEOUT_S = 0.3
FRAMES = {"type": "frames.added", "pk": 5}


def layer_at(url: str) -> RedisLayer:
    timeouts = {"socket_connect_timeout": TIMEOUT_S, "socket_timeout": TIMEOUT_S}
    return RedisLayer(hosts=[{"address": url, **timeouts}], prefix="faldeck")


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as running:
        yield running


@pytest.mark.process
async def test_what_a_thread_sends_reaches_the_members_of_the_group_alone(
    server: RedisServer,
) -> None:
    here, there = layer_at(server.url), layer_at(server.url)
    mine, other = await here.new_channel(), await here.new_channel()
    await here.group_add("request.5", mine)
    await here.group_add("request.6", other)
    for last in range(20):
        await asyncio.to_thread(there.fan_out, [("request.5", {**FRAMES, "last": last})])
    async with asyncio.timeout(30):
        heard = [await here.receive(mine) for _ in range(20)]
    assert heard == [{**FRAMES, "last": last} for last in range(20)]
    with pytest.raises(asyncio.TimeoutError):
        async with asyncio.timeout(0.1):
            await here.receive(other)
    await here.flush()


@pytest.mark.process
def test_many_messages_need_one_connection(server: RedisServer) -> None:
    layer, client = layer_at(server.url), Redis.from_url(server.url)
    before = connections_of(client)
    for last in range(50):
        layer.fan_out([("request.5", {**FRAMES, "last": last})])
    assert connections_of(client) == before + 1


def connections_of(client: Any) -> int:
    return int(client.info("stats")["total_connections_received"])


@pytest.mark.process
def test_the_first_message_after_a_restart_of_redis_is_sent(server: RedisServer) -> None:
    layer = layer_at(server.url)
    layer.fan_out([("request.5", FRAMES)])
    server.stop()
    with pytest.raises(ConnectionError):
        layer.fan_out([("request.5", FRAMES)])
    server.start()
    layer.fan_out([("request.5", FRAMES)])
    server.stop()
    server.start()
    layer.fan_out([("request.5", FRAMES)])


def test_a_redis_that_says_nothing_is_asked_once() -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as mute:
        layer = layer_at(f"redis://127.0.0.1:{mute.getsockname()[1]}/0")
        with pytest.raises(TimeoutError):
            layer.fan_out([("request.5", FRAMES)])
        mute.setblocking(False)
        mute.accept()[0].close()
        with pytest.raises(BlockingIOError):
            mute.accept()
