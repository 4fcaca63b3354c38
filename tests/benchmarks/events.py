"""Bare peers for streams, each a process of its own: a fal as quick as can be, and the simplest relay.

`python -m tests.benchmarks.events PORT [TARGET]`; the input says how many events, how large (bytes) and
the pause (seconds) between two. Each event says when it was sent. With a target its stream is passed
on as it comes, nothing more.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
from aiohttp import ClientSession, ClientTimeout, web

from tests.ports import free_port
from tests.process.serving import ROOT


@contextmanager
def running(*target: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """The quick fal, or a relay to the target, while it runs: its address and its process."""
    port = free_port()
    module = [sys.executable, "-m", "tests.benchmarks.events", str(port), *target]
    process = subprocess.Popen(module, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url, process
    finally:
        process.kill()
        process.wait()


async def stream(request: web.Request) -> web.StreamResponse:
    wish = await request.json()
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    await asyncio.sleep(wish.get("delay", 0))
    padding = "x" * wish["size"]
    for number in range(wish["count"]):
        # One clock for all processes of a machine.
        event = json.dumps({"n": number, "at": time.monotonic(), "x": padding})
        await response.write(f"data: {event}\n\n".encode())
        if wish["pause"]:
            await asyncio.sleep(wish["pause"])
    return response


async def relay(request: web.Request, target: str) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    async with (
        ClientSession(timeout=ClientTimeout(None)) as client,
        client.post(f"{target}{request.path}", data=await request.read()) as upstream,
    ):
        await response.prepare(request)
        async for chunk in upstream.content.iter_any():
            await response.write(chunk)
    return response


def main(port: int, target: str = "") -> None:
    """Serve until killed."""

    async def handle(request: web.Request) -> web.StreamResponse:
        return await (relay(request, target) if target else stream(request))

    app = web.Application()
    app.router.add_post("/{path:.*}", handle)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
