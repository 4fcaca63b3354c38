"""SIGTERM with replies in the making and sockets open, at a real process."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from dashboard.stopping import DRAIN_S, GOING_AWAY, stop_accepting
from tests.source import ROOT

pytestmark = pytest.mark.process

LIMIT_S = 30


class Server:
    """The process, where it listens, and what it says."""

    def __init__(self, port: int = 0) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.dashboard.stopping_server", str(port)],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        assert self.process.stdout
        self.port = int(self.process.stdout.readline())
        self.said = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        self.client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=LIMIT_S
        )

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            self.said += line

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def close(self) -> None:
        """However the test went, neither the process nor its pipes stay."""
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()

    async def says(self, words: str, times: int = 1) -> None:
        """Wait until it has said the words so often."""
        async with asyncio.timeout(LIMIT_S):
            while self.said.count(words) < times:
                await asyncio.sleep(0.01)

    async def refuses(self) -> None:
        """Wait until it takes no connection any more: it has heard the signal."""
        async with asyncio.timeout(LIMIT_S):
            while True:
                try:
                    _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                except ConnectionRefusedError:
                    return
                writer.close()
                await asyncio.sleep(0.02)

    async def end(self, seconds: float = LIMIT_S) -> str:
        """What it said; it ended by itself and well."""
        await asyncio.to_thread(self.process.wait, timeout=seconds)
        await asyncio.to_thread(self._reader.join)
        assert self.process.stdout
        self.process.stdout.close()
        await self.client.aclose()
        assert self.process.returncode == 0, self.said
        assert "\nended\n" in f"\n{self.said}"
        return self.said


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.close()


async def begun(
    server: Server, path: str = "/slow", times: int = 1
) -> asyncio.Task[httpx.Response]:
    """A call that the application has in its hands."""
    task = asyncio.create_task(server.client.get(path))
    await server.says(f"began {path}", times)
    return task


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_while_the_door_closes_who_is_in_is_served_and_newcomers_are_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as door, socket.socket() as newcomer:
        inside = socket.create_connection(door.getsockname())
        stop_accepting(door)
        newcomer.settimeout(0.2)
        with pytest.raises(TimeoutError):
            newcomer.connect(door.getsockname())
        accepted, _ = door.accept()
        inside.sendall(b"a request")
        assert accepted.recv(99) == b"a request"
        inside.close()
        accepted.close()
        address = door.getsockname()
    with socket.socket() as another, pytest.raises(ConnectionRefusedError):
        another.connect(address)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_reply_in_the_making_is_finished(server: Server, number: int) -> None:
    replies = [await begun(server, times=number) for number in (1, 2)]
    server.signal(number)
    assert [(await reply).text for reply in replies] == ["whole", "whole"]
    await server.end()


async def test_a_slow_reader_gets_the_whole_reply(server: Server) -> None:
    size = 3 * 1024 * 1024
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=4096)
    writer.write(b"GET /slow?%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" % size)
    await server.says("began /slow")
    server.signal()
    await asyncio.sleep(2)  # the reply is made; nobody has read any of it
    got = await asyncio.wait_for(reader.read(), LIMIT_S)
    assert got.count(b"\0") == size
    writer.close()
    await server.end()


async def test_new_connections_are_refused_meanwhile(server: Server) -> None:
    """So that a proxy takes the next process."""
    reply = await begun(server)
    server.signal()
    await server.refuses()
    assert (await reply).text == "whole"
    await server.end()


async def test_whoever_waits_to_be_accepted_is_still_answered(server: Server) -> None:
    """A proxy has sent its POST by then, and must not send it to another process."""
    busy = await begun(server, "/busy")
    calls = await asyncio.gather(*(sent_call(server.port) for _ in range(20)))
    server.signal()
    replies = [await asyncio.wait_for(reader.read(), LIMIT_S) for reader, _ in calls]
    assert [reply for reply in replies if b"whole" not in reply] == []
    for _, writer in calls:
        writer.close()
    assert (await busy).text == "whole"
    await server.end()


async def sent_call(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A POST on a connection of its own, sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    await writer.drain()
    return reader, writer


async def test_an_open_socket_is_told_to_come_back_and_its_application_ends(
    server: Server,
) -> None:
    async with connect(f"ws://127.0.0.1:{server.port}/", proxy=None) as socket:
        server.signal()
        with pytest.raises(ConnectionClosed) as closed:
            await asyncio.wait_for(socket.recv(), LIMIT_S)
    assert closed.value.rcvd
    assert closed.value.rcvd.code == GOING_AWAY
    assert "left websocket.disconnect" in await server.end()


async def test_with_nothing_open_it_ends_at_once(server: Server) -> None:
    server.signal()
    await server.end(DRAIN_S)  # what is open would be waited for as long as this


async def test_a_stream_without_end_is_cut_off_in_the_end(server: Server) -> None:
    endless = await begun(server, "/endless")
    began = time.monotonic()
    server.signal()
    assert "cuts off 1 connections" in await server.end(DRAIN_S + LIMIT_S)
    assert time.monotonic() - began >= DRAIN_S - 1
    await asyncio.gather(endless, return_exceptions=True)


async def test_a_second_signal_waits_for_nobody(server: Server) -> None:
    endless = await begun(server, "/endless")
    server.signal()
    await server.refuses()
    server.signal()
    assert "cuts off" not in await server.end()
    await asyncio.gather(endless, return_exceptions=True)
