"""Bare peers for realtime, each a process of its own: an echo as fal, and the simplest relay to it.

`python -m tests.benchmarks.sockets PORT [TARGET]`
"""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from websockets.asyncio.client import ClientConnection, connect
from websockets.asyncio.server import ServerConnection, serve

from tests.ports import free_port
from tests.process.serving import ROOT


@contextmanager
def running(*target: str) -> Iterator[str]:
    """The address of an echo, or of a relay to the target, while it runs."""
    port = free_port()
    module = [sys.executable, "-m", "tests.benchmarks.sockets", str(port), *target]
    process = subprocess.Popen(module, cwd=ROOT)
    try:
        _wait(port)
        yield f"ws://127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


def _wait(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(str(port))


async def echo(tab: ServerConnection) -> None:
    async for message in tab:
        await tab.send(message)


async def relay(tab: ServerConnection, target: str) -> None:
    async with connect(target, compression=None) as fal:
        await asyncio.gather(_pump(tab, fal), _pump(fal, tab))


async def _pump(
    source: ServerConnection | ClientConnection, sink: ServerConnection | ClientConnection
) -> None:
    async for message in source:
        await sink.send(message)


async def main(port: int, target: str = "") -> None:
    """Serve until killed."""

    logging.getLogger("websockets").setLevel(logging.CRITICAL)  # whoever ends first is no news

    async def handle(tab: ServerConnection) -> None:
        await (relay(tab, target) if target else echo(tab))

    async with serve(handle, "127.0.0.1", port, compression=None):
        gc.freeze()
        await asyncio.sleep(3600)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), *sys.argv[2:]))
