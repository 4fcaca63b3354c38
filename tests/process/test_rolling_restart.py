"""Two web processes are restarted one after the other under load: no request fails, sockets come back."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidMessage

from dashboard.stopping import GOING_AWAY
from tests.dashboard.test_stopping import Server

pytestmark = pytest.mark.process

CALLERS = 16


class Proxy:
    """Chooses as nginx does: each in turn; who refuses the connection is passed over, and nothing that
    has been sent is sent again.
    """

    def __init__(self, servers: list[Server]) -> None:
        self.servers = servers
        self._turns = itertools.count()

    async def connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        turn = next(self._turns)
        for server in (self.servers[turn % 2], self.servers[(turn + 1) % 2]):
            try:
                return await asyncio.open_connection("127.0.0.1", server.port)
            except ConnectionError:
                continue
        raise ConnectionRefusedError("nobody is there")

    async def post(self) -> bytes:
        reader, writer = await self.connection()
        try:
            writer.write(
                b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
            )
            return await reader.read()
        finally:
            writer.close()


@pytest.fixture
def servers() -> Iterator[list[Server]]:
    found = [Server(), Server()]
    yield found
    for server in found:
        server.close()


async def call_until(over: asyncio.Event, proxy: Proxy, failed: list[object]) -> int:
    count = 0
    while not over.is_set():
        count += 1
        try:
            reply = await proxy.post()
        except OSError as error:
            failed.append(error)
        else:
            if b"whole" not in reply:
                failed.append(reply)
        await asyncio.sleep(0.002)
    return count


async def hold_until(over: asyncio.Event, proxy: Proxy, opened: list[int]) -> None:
    """A tab: it comes back when it is told to."""
    while True:
        port = proxy.servers[next(proxy._turns) % 2].port
        try:
            async with connect(f"ws://127.0.0.1:{port}/", proxy=None) as socket:
                opened.append(port)
                receiving = asyncio.ensure_future(socket.recv())
                ending = asyncio.ensure_future(over.wait())
                await asyncio.wait({receiving, ending}, return_when=asyncio.FIRST_COMPLETED)
                ending.cancel()
                if over.is_set():
                    receiving.cancel()
                    return
                await receiving
        except ConnectionClosed as closed:
            assert closed.rcvd and closed.rcvd.code == GOING_AWAY
        except (ConnectionError, InvalidMessage):
            await asyncio.sleep(0.05)


async def restart(servers: list[Server], number: int) -> None:
    server = servers[number]
    server.signal()
    await server.end()
    servers[number] = await asyncio.to_thread(Server, server.port)


async def test_no_request_fails_and_every_socket_comes_back(servers: list[Server]) -> None:
    proxy, over = Proxy(servers), asyncio.Event()
    failed: list[object] = []
    opened: list[int] = []
    calls = [asyncio.create_task(call_until(over, proxy, failed)) for _ in range(CALLERS)]
    tabs = [asyncio.create_task(hold_until(over, proxy, opened)) for _ in range(10)]
    await asyncio.sleep(0.3)
    for number in (0, 1):
        await restart(servers, number)
    async with asyncio.timeout(30):
        while len(opened) < 20:  # ten at first, and each once more at least
            await asyncio.sleep(0.05)
    over.set()
    made = sum(await asyncio.gather(*calls))
    await asyncio.gather(*tabs)
    assert failed == []
    assert made > 100
    for server in servers:
        await server.client.aclose()
