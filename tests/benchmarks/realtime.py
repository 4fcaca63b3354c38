"""A round trip through the relay, recorded, beside the simplest relay that records nothing.

Goals: a median of at most 1.8 times the bare relay's for both forms; with 50 connections, as bytes, at
least 0.4 of its rate or 9,000 round trips a second. As the page, both ends have more to do for each
message: with this reader two cores are full at about 0.4.

The three take turns in short slices, so that whatever else the machine does hits them alike.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from weakref import WeakKeyDictionary

import msgpack
from websockets.asyncio.client import ClientConnection, connect

from tests.benchmarks.latency import Reader
from tests.benchmarks.report import table
from tests.benchmarks.sockets import running
from tests.process.serving import Serving
from tests.signing import Signer

MESSAGE = msgpack.packb({"prompt": "x" * 80, "n": 5})
VALUE = msgpack.unpackb(MESSAGE)
SLICES, SLICE_S = 4, 1.0
MANY = 50

ACK_S = 0.05
acknowledged: WeakKeyDictionary[ClientConnection, float] = WeakKeyDictionary()

RoundTrip = Callable[[ClientConnection], Awaitable[None]]


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, running() as echo, running(echo) as bare:
        serving = Serving(
            Path(folder), FAL_KEY="id:secret", FAL_RUN_URL="http://127.0.0.1:1",
            FAL_REALTIME_URL=echo, REALTIME_SESSIONS=str(2 * MANY + 2),
        )  # fmt: skip
        with serving:
            reader = Reader(serving, echo, Signer())
            reader.socket.close()  # nobody reads the list here
            asyncio.run(show(bare, serving.url, reader))


async def show(bare: str, ours: str, reader: Reader) -> None:
    """Measure and print."""
    cookies = "; ".join(f"{name}={value}" for name, value in reader.http.cookies.items())

    page = reader.http.get(f"{ours}/realtime/").text
    made_for = page.partition('data-made-for="')[2].partition('"')[0]

    async def direct() -> ClientConnection:
        return await connect(bare, compression=None)

    async def session(*, is_raw: bool) -> ClientConnection:
        socket = await connect(
            f"{ours.replace('http', 'ws', 1)}/ws/realtime/",
            compression=None,
            additional_headers={"Cookie": cookies, "Origin": ours},
        )
        wish = {
            "type": "connect", "endpoint": "acme/echo", "auth": "key", "raw": is_raw,
            "made_for": made_for,
        }  # fmt: skip
        await socket.send(json.dumps(wish))
        while json.loads(await socket.recv())["type"] != "open":
            pass
        return socket

    ways: dict[str, tuple[Callable[[], Awaitable[ClientConnection]], RoundTrip]] = {
        "bare relay": (direct, as_bytes),
        "recorded, bytes": (lambda: session(is_raw=True), as_bytes),
        "recorded, as the page": (lambda: session(is_raw=False), as_page),
    }
    for count in (1, MANY):
        rows = await measured(ways, count)
        table(f"Realtime round trips, {count} at once", COLUMNS, rows)


COLUMNS = ("through", "median", "99 %", "ratio", "per second", "ratio")


async def measured(
    ways: dict[str, tuple[Callable[[], Awaitable[ClientConnection]], RoundTrip]], count: int
) -> list[tuple[str, ...]]:
    """One line for each way; ratios are to the first."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    async with AsyncExitStack() as stack:
        sockets: dict[str, list[ClientConnection]] = {name: [] for name in ways}
        for name, (opened, _) in ways.items():
            for _ in range(count):
                sockets[name].append(await opened())
                stack.push_async_callback(sockets[name][-1].close)
        for _ in range(SLICES):
            for name, (_, trip) in ways.items():
                end = time.perf_counter() + SLICE_S
                loops = [closed_loop(one, trip, end, times[name]) for one in sockets[name]]
                await asyncio.gather(*loops)
    return lines(times)


def lines(times: dict[str, list[float]]) -> list[tuple[str, ...]]:
    """Medians and rates, each beside the first way's."""
    first = next(iter(times.values()))
    base, rate = statistics.median(first), len(first) / SLICES / SLICE_S
    rows = []
    for name, took in times.items():
        middle, worst = statistics.median(took), sorted(took)[int(len(took) * 0.99)]
        each = len(took) / SLICES / SLICE_S
        rows.append(
            (
                name, f"{middle * 1000:.2f} ms", f"{worst * 1000:.2f} ms", f"{middle / base:.2f}",
                f"{each:,.0f}", f"{each / rate:.2f}",
            )
        )  # fmt: skip
    return rows


async def closed_loop(
    socket: ClientConnection, trip: RoundTrip, end: float, times: list[float]
) -> None:
    """One message after the other, each when the last has come back."""
    while (began := time.perf_counter()) < end:
        await trip(socket)
        times.append(time.perf_counter() - began)


async def as_bytes(socket: ClientConnection) -> None:
    await socket.send(MESSAGE)
    while not isinstance(await socket.recv(), bytes):
        pass


async def as_page(socket: ClientConnection) -> None:
    """What the page's module sends, and reading on until the answer is there."""
    await socket.send(json.dumps({"type": "send", "as": "msgpack", "value": VALUE}))
    while True:
        message = json.loads(await socket.recv())
        if message["type"] == "frames" and message["frames"][-1]["direction"] == "in":
            await acknowledge(socket, message["last"])
            return


async def acknowledge(socket: ClientConnection, number: int) -> None:
    """Now and then, as the page's module does."""
    now = time.monotonic()
    if now - acknowledged.get(socket, 0) >= ACK_S:
        acknowledged[socket] = now
        await socket.send(json.dumps({"type": "ack", "number": number}))
