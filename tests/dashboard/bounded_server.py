"""A bounded Daphne in a process of its own (a Twisted reactor runs once per process).

Prints its port. Usage: python -m tests.dashboard.bounded_server '{"body": 1000, ...}'
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import Any

from daphne.access import AccessLogGenerator
from daphne.server import Server

from dashboard import bounded

MB = 1024 * 1024
ended: list[str] = []  # what became of the applications
served: list[str] = []


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """A few behaviours, chosen by the path."""
    path = scope["path"]
    served.append(path)
    if scope["type"] == "websocket":
        await web_socket(path, receive, send)
    elif path == "/tail":
        await big_response(receive, send)
    elif path == "/one-piece":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": bytes(24 * MB), "more_body": True})
        await send({"type": "http.response.body", "body": b""})
    elif path == "/log":
        await reply(send, json.dumps({"served": served, "ended": ended}).encode())
    elif path == "/through/refused":
        await reply(send, b"no")
    elif path == "/through/late":
        await asyncio.sleep(2.5)
        await reply(send, str(await body_size(receive)).encode())
    elif path == "/through/deaf" or path.startswith("/hooks/"):
        await asyncio.sleep(120)
    else:
        await reply(send, str(await body_size(receive)).encode())


async def reply(send: Any, body: bytes) -> None:
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def body_size(receive: Any) -> int:
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            ended.append(f"body: client gone after {size}")
            return size
        size += len(message["body"])
        more = message["more_body"]
    return size


async def big_response(receive: Any, send: Any) -> None:
    """128 MB, as fast as the server takes them."""
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for number in range(128 * 16):
        await send({"type": "http.response.body", "body": bytes(MB // 16), "more_body": True})
        # Django asks between two pieces whether the client has gone; so does this application.
        if not number % 16:
            gone = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            if gone.done():
                ended.append("tail: client gone")
                return
            gone.cancel()
    await send({"type": "http.response.body", "body": b""})
    ended.append("tail: complete")


async def web_socket(path: str, receive: Any, send: Any) -> None:
    await receive()
    if path == "/never-accepts":
        await asyncio.sleep(120)
    await send({"type": "websocket.accept"})
    if path == "/flood":
        for _ in range(128 * 16):
            await send({"type": "websocket.send", "bytes": bytes(MB // 16)})
            await asyncio.sleep(0)
    elif path == "/large":
        for number in range(20):
            await send({"type": "websocket.send", "bytes": b"%06d" % number * 50_000})
    elif path == "/slow":
        await count_slowly(receive, send)
    elif path == "/echo":
        await echo(receive, send)
    else:
        await asyncio.sleep(120)  # deaf for a while
    while path != "/echo" and (await receive())["type"] != "websocket.disconnect":
        pass
    ended.append(f"{path}: client gone")


async def echo(receive: Any, send: Any) -> None:
    """Until the client goes."""
    while (message := await receive())["type"] == "websocket.receive":
        await send({**message, "type": "websocket.send"})


async def count_slowly(receive: Any, send: Any) -> None:
    """Takes what comes, with a pause after each large message; says how many there were."""
    count, last = 0, ""
    while last != "end":
        last = (await receive())["text"]
        count += 1
        await asyncio.sleep(0.002 if len(last) > 1 else 0)
    await send({"type": "websocket.send", "text": str(count)})


def main() -> None:
    logging.basicConfig(level=logging.INFO)
    bounded.install(bounded.Limits(**json.loads(sys.argv[1])))
    server = Server(
        application,
        endpoints=["tcp:port=0:interface=127.0.0.1"],
        action_logger=AccessLogGenerator(sys.stderr),
        websocket_handshake_timeout=1,
        application_close_timeout=1,
    )
    announce(server)
    server.run()


def announce(server: Server) -> None:
    """Print the port once it is known."""
    listen_success = server.listen_success

    def success(port: Any) -> None:
        listen_success(port)
        print(port.getHost().port, flush=True)

    server.listen_success = success


if __name__ == "__main__":
    main()
