"""The least that a page's socket needs, so that ten thousand of them fit into one process.

Sends masked text frames, answers pings, and gives each text to a function together with the time.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import Any

Heard = Callable[["PageSocket", bytes, float], None]
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class PageSocket(asyncio.Protocol):
    """One open page; `lost` is set when the socket is gone."""

    __slots__ = ("buffer", "heard", "is_open", "lost", "opened", "transport")

    def __init__(self, heard: Heard) -> None:
        self.heard = heard
        self.buffer = b""
        self.is_open = False
        loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[None] = loop.create_future()
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionResetError("closed before it was open"))
            self.opened.exception()
        if not self.lost.done():
            self.lost.set_result(None)

    def data_received(self, data: bytes) -> None:
        now = time.time()
        self.buffer += data
        if not self.is_open and not self._is_shaken():
            return
        while (frame := self._frame()) is not None:
            kind, payload = frame
            if kind == TEXT:
                self.heard(self, payload, now)
            elif kind == PING:
                self._send(PONG, payload)
            elif kind == CLOSE:
                self._send(CLOSE, payload[:2])
                self.transport.close()

    def _is_shaken(self) -> bool:
        """Whether the server has taken the handshake."""
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        if b" 101 " not in head[:20]:
            self.transport.abort()
            return False
        self.buffer, self.is_open = rest, True
        self.opened.set_result(None)
        return True

    def _frame(self) -> tuple[int, bytes] | None:
        data = self.buffer
        if len(data) < 2:
            return None
        size, start = data[1] & 127, 2
        if size >= 126:
            start = 4 if size == 126 else 10
            size = int.from_bytes(data[2:start], "big")
        if len(data) < start + size:
            return None
        self.buffer = data[start + size :]
        return data[0] & 15, data[start : start + size]

    def send(self, message: dict[str, Any]) -> None:
        """As JSON text."""
        self._send(TEXT, json.dumps(message).encode())

    def _send(self, kind: int, payload: bytes) -> None:
        size = len(payload)
        head = bytes([0x80 | kind, 0x80 | (size if size < 126 else 126)])
        if size >= 126:
            head += size.to_bytes(2, "big")
        self.transport.write(head + bytes(4) + payload)  # a mask of zeros changes nothing


async def open_page(
    address: tuple[str, int], cookie: str, heard: Heard, *, path: str = "/ws/", source: str = ""
) -> PageSocket:
    """Connect and shake hands. Raises OSError."""
    host, port = address
    loop = asyncio.get_running_loop()
    _, page = await loop.create_connection(
        lambda: PageSocket(heard), host, port, local_addr=(source, 0) if source else None
    )
    lines = [
        f"GET {path} HTTP/1.1", f"Host: {host}:{port}", "Upgrade: websocket", "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Version: 13",
        f"Origin: http://{host}:{port}", f"Cookie: {cookie}", "", "",
    ]  # fmt: skip
    page.transport.write("\r\n".join(lines).encode())
    await page.opened
    return page
