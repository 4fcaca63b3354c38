"""The product's server around a small application, in a process of its own. Prints its port.

Usage: python -m tests.dashboard.stopping_server [PORT]
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from dashboard.server import free_port, serve


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A slow reply, a stream without end, a reply that holds up everything, a socket."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        print("left", (await receive())["type"], flush=True)
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    print("began", scope["path"], flush=True)
    if scope["path"] == "/busy":
        time.sleep(1)
    while scope["path"] == "/endless":
        await send({"type": "http.response.body", "body": b".", "more_body": True})
        await asyncio.sleep(0.1)
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    size = int(scope["query_string"] or 0)
    await send({"type": "http.response.body", "body": b"whole" + bytes(size)})


if __name__ == "__main__":
    port = free_port("127.0.0.1", int(sys.argv[1]) if sys.argv[1:] else 0)
    serve(application, "127.0.0.1", port, on_ready=lambda: print(port, flush=True))
    print("ended", flush=True)
