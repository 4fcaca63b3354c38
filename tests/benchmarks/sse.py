"""A stream that is recorded and watched, beside reading it from fal and from the simplest relay.

Goals: at most 1 ms later than straight from fal, by the median; at least half as many events per
second as a bare streaming response, which is the relay's. Beside the rate stands how long the process
that relays works for an event, which a busy machine changes less.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from subprocess import Popen
from typing import Any

import httpx

from tests.benchmarks.events import running
from tests.benchmarks.report import processor_s, table
from tests.benchmarks.viewers import begin, read, service, watch

Way = Callable[[dict[str, Any]], Coroutine[Any, Any, list[float]]]

PACED = {"count": 500, "size": 100, "pause": 0.01, "delay": 1.0}
BURST = {"count": 60_000, "size": 100, "pause": 0, "delay": 1.0}


def main() -> None:
    """Print the table."""
    with service() as (reader, serving), running(reader.fal) as (bare, relay):

        async def watched(wish: dict[str, Any]) -> list[float]:
            socket = await watch(reader, serving, begin(reader, wish))
            async with socket:
                return await read(socket, wish["count"])

        ways: dict[str, tuple[Way, Popen[bytes] | None]] = {
            "straight from fal": (lambda wish: straight(reader.fal, wish), None),
            "bare relay": (lambda wish: straight(bare, wish), relay),
            "recorded and watched": (watched, serving.process),
        }
        rows = [(name, *measured(*way)) for name, way in ways.items()]
    columns = ("read", "late by", "99 %", "events/s in a burst", "processor for an event")
    table("A stream of events", columns, rows)


def measured(way: Way, process: Popen[bytes] | None) -> tuple[str, ...]:
    """At a pace, then in a burst."""
    late = asyncio.run(way(PACED))
    before = processor_s(process) if process else 0.0
    rate = asyncio.run(timed(way, BURST))
    if process is None:
        return *figures(late, rate), ""
    spent_s = processor_s(process) - before
    return *figures(late, rate), f"{spent_s / BURST['count'] * 1e6:.1f} us"


def figures(late: list[float], rate: float) -> tuple[str, str, str]:
    """As shown."""
    late = sorted(late)
    middle, worst = late[len(late) // 2], late[int(len(late) * 0.99)]
    return f"{middle * 1000:.2f} ms", f"{worst * 1000:.2f} ms", f"{rate:,.0f}"


async def timed(way: Way, wish: dict[str, Any]) -> float:
    """Events per second, without the wait before the first."""
    began = time.monotonic()
    await way(wish)
    return float(wish["count"] / (time.monotonic() - began - wish["delay"]))


async def straight(fal: str, wish: dict[str, Any]) -> list[float]:
    """Read by the simplest program."""
    late: list[float] = []
    async with (
        httpx.AsyncClient(timeout=None) as client,
        client.stream("POST", f"{fal}/acme/text/stream", json=wish) as response,
    ):
        async for line in response.aiter_lines():
            if line.startswith("data:"):
                late.append(time.monotonic() - json.loads(line[5:])["at"])
    return late


if __name__ == "__main__":
    main()
