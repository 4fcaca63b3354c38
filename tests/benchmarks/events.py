"""A fal whose stream is as quick as can be: each event says when it was sent.

`python -m tests.benchmarks.events PORT`; the input says how many, how large (bytes) and the pause
(seconds) between two.
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
from aiohttp import web

from tests.process.serving import ROOT, free_port


@contextmanager
def running() -> Iterator[str]:
    """Its address, while it runs."""
    port = free_port()
    module = [sys.executable, "-m", "tests.benchmarks.events", str(port)]
    process = subprocess.Popen(module, cwd=ROOT)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(url)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield url
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


def main(port: int) -> None:
    """Serve until killed."""
    app = web.Application()
    app.router.add_post("/{path:.*}", stream)
    web.run_app(app, host="127.0.0.1", port=port, print=None)


if __name__ == "__main__":
    main(int(sys.argv[1]))
