"""A stream that is recorded and watched, beside reading it from fal and from the simplest relay.

Goals: at most 1 ms later than straight from fal, by the median; at least half as many events per
second as a bare streaming response, which is the relay's.
"""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx

from tests.benchmarks.events import running
from tests.benchmarks.report import table
from tests.benchmarks.viewers import begin, read, service, watch

PACED = {"count": 500, "size": 100, "pause": 0.01, "delay": 1.0}
BURST = {"count": 60_000, "size": 100, "pause": 0, "delay": 1.0}


def main() -> None:
    """Print the table."""
    with service() as (reader, serving), running(reader.fal) as bare:

        async def watched(wish: dict[str, Any]) -> list[float]:
            socket = await watch(reader, serving, begin(reader, wish))
            async with socket:
                return await read(socket, wish["count"])

        rows = [
            (name, *figures(asyncio.run(way(PACED)), asyncio.run(timed(way, BURST))))
            for name, way in {
                "straight from fal": lambda wish: straight(reader.fal, wish),
                "bare relay": lambda wish: straight(bare, wish),
                "recorded and watched": watched,
            }.items()
        ]
    table("A stream of events", ("read", "late by", "99 %", "events/s in a burst"), rows)


def figures(late: list[float], rate: float) -> tuple[str, str, str]:
    """As shown."""
    late = sorted(late)
    middle, worst = late[len(late) // 2], late[int(len(late) * 0.99)]
    return f"{middle * 1000:.2f} ms", f"{worst * 1000:.2f} ms", f"{rate:,.0f}"


async def timed(way: Any, wish: dict[str, Any]) -> float:
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
