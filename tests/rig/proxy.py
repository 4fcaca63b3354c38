"""The fault proxy: plain HTTP/1.1 over asyncio, one exchange per connection.

    python -m tests.rig.proxy --port N --control N --log FILE --seed N UPSTREAM_PORT…

In front of fal it spoils calls by kind (submit, status, result, cancel, run, list); with several upstreams
it is a small load balancer in front of our web servers, and spoils webhooks. The control port takes
one JSON line, `{"chances": {"submit": {"502_before": 0.1}}, "away_s": 0}`, and answers with it.

    reset_before, blackhole, 502_before, 429   the upstream never hears of the call
    reset_after, drop_reply, swallow, 502_after, truncate, garbage
                                               the upstream does the work, its answer is spoilt
    delay, slow_reply                          a second before the upstream hears of it, or some
                                               seconds before the caller hears of its answer
    away_s                                     nobody listens: connections are refused

Each paid POST and each webhook leaves one JSON line in the log.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import re
import socket
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_HEAD = 64 * 1024
DELAY_S = 1.0
SLOW_S = 5.0
HOLD_S = 90.0  # longer than any caller waits
UPSTREAM_S = 10.0  # how long a dead upstream is waited for
BEFORE = {"reset_before", "blackhole", "502_before", "429"}
AFTER = {"reset_after", "drop_reply", "swallow", "slow_reply", "502_after", "truncate", "garbage"}

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def _canned(status: str, content_type: str, body: bytes, *headers: str) -> bytes:
    lines = [
        f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}",
        "Connection: close", *headers,
    ]  # fmt: skip
    return "\r\n".join([*lines, "", ""]).encode() + body


BAD_GATEWAY = _canned("502 Bad Gateway", "text/html", b"<html><h1>502 Bad Gateway</h1></html>")
GARBAGE = _canned("200 OK", "text/html", b"<html><h1>Welcome</h1></html>")
TOO_MANY = _canned(
    "429 Too Many Requests",
    "application/json",
    b'{"detail": "Too many concurrent requests"}',
    "Retry-After: 1",
)
CANNED = {"502_before": BAD_GATEWAY, "502_after": BAD_GATEWAY, "429": TOO_MANY, "garbage": GARBAGE}


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    head: bytes
    body: bytes

    @property
    def kind(self) -> str:
        """Which faults may hit it."""
        path = self.path.partition("?")[0]
        if path.startswith("/hooks/"):
            return "webhook"
        if path.startswith("/run/") and self.method == "POST":
            return "run"
        if path.startswith("/api/"):
            return "list"
        if not path.startswith("/queue/"):
            return "other"
        if self.method != "GET":
            return {"POST": "submit", "PUT": "cancel"}.get(self.method, "other")
        return "status" if path.endswith("/status") else "result"

    @property
    def key(self) -> str:
        """A webhook's public id (never the secret behind it); of anything else the body's digest."""
        found = re.match(r"/hooks/fal/([0-9a-f-]{36})/", self.path)
        return found[1] if found else hashlib.sha256(self.body).hexdigest()

    def for_upstream(self) -> bytes:
        """The same, for a connection that ends with the answer."""
        lines = self.head.split(b"\r\n")[:-2]
        kept = [line for line in lines if not line.lower().startswith(b"connection:")]
        return b"\r\n".join([*kept, b"Connection: close", b"", b""]) + self.body


async def read_request(reader: asyncio.StreamReader) -> Asked | None:
    """None when the caller has left without a word."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    length = re.search(rb"\r\ncontent-length: *(\d+)", head, re.I)
    body = await reader.readexactly(int(length[1])) if length else b""
    method, path, _ = head.split(b"\r\n", 1)[0].decode("latin-1").split(" ", 2)
    return Asked(method, path, head, body)


def status_in(reply: bytes) -> int | None:
    """The code of an HTTP reply's first line."""
    found = re.match(rb"HTTP/1\.[01] (\d{3}) ", reply)
    return int(found[1]) if found else None


class Proxy:
    """The rules in force, and the exchanges under them."""

    def __init__(self, port: int, upstreams: list[int], log: Path, seed: int) -> None:
        self.port, self.upstreams = port, upstreams
        self.chances: dict[str, dict[str, float]] = {}
        self._chance = random.Random(seed)
        self._log = log.open("a", encoding="utf-8", buffering=1)
        self._server: asyncio.Server | None = None
        self._turn = 0

    async def listen(self) -> None:
        """Take connections from now on."""
        self._server = await asyncio.start_server(
            self._serve, "127.0.0.1", self.port, limit=MAX_HEAD
        )

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One JSON line in, the same out once it holds."""
        line = await reader.readline()
        order: dict[str, Any] = json.loads(line)
        self.chances = order.get("chances", {})
        if away_s := order.get("away_s", 0):
            await self.be_away(away_s)
        writer.write(line)
        await writer.drain()
        writer.close()

    async def be_away(self, seconds: float) -> None:
        """Nobody listens for so long; what is under way goes on."""
        if self._server is not None:
            self._server.close()
            await asyncio.sleep(seconds)
            await self.listen()

    def close(self) -> None:
        """Take no more connections."""
        if self._server is not None:
            self._server.close()
        self._log.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            asked = await read_request(reader)
            if asked is not None:
                await self._exchange(asked, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    def _draw(self, kind: str) -> str:
        draw = self._chance.random()
        for fault, chance in self.chances.get(kind, {}).items():
            draw -= chance
            if draw < 0:
                return fault
        return "pass"

    async def _exchange(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        fault = self._draw(asked.kind)
        if fault in BEFORE:
            self._note(asked, fault, None)
            await self._spoil(fault, b"", writer)
            return
        if fault == "delay":
            await asyncio.sleep(DELAY_S)
        upstream = await self._upstream()
        if upstream is None:
            self._note(asked, "no_upstream", None)
            await self._spoil("502_before", b"", writer)
            return
        try:
            upstream[1].write(asked.for_upstream())
            if fault in AFTER:
                reply = await upstream[0].read(-1)
                self._note(asked, fault, status_in(reply))
                await self._spoil(fault, reply, writer)
            else:
                await self._relay(asked, fault, upstream[0], writer)
        finally:
            upstream[1].close()

    async def _upstream(self) -> Streams | None:
        """The next one that answers, in turn."""
        end = asyncio.get_running_loop().time() + UPSTREAM_S
        while asyncio.get_running_loop().time() < end:
            for _ in self.upstreams:
                self._turn += 1
                try:
                    port = self.upstreams[self._turn % len(self.upstreams)]
                    return await asyncio.open_connection("127.0.0.1", port)
                except OSError:
                    continue
            await asyncio.sleep(0.1)
        return None

    async def _relay(
        self,
        asked: Asked,
        fault: str,
        source: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        """Piece by piece; the line is logged before the caller can know the answer."""
        piece = await source.read(64 * 1024)
        self._note(asked, fault, status_in(piece))
        while piece:
            writer.write(piece)
            await writer.drain()
            piece = await source.read(64 * 1024)

    async def _spoil(self, fault: str, reply: bytes, writer: asyncio.StreamWriter) -> None:
        if fault in CANNED:
            writer.write(CANNED[fault])
            await writer.drain()
        elif fault == "truncate":
            head, _, body = reply.partition(b"\r\n\r\n")
            writer.write(head + b"\r\n\r\n" + body[: len(body) // 2])
            await writer.drain()
        elif fault == "slow_reply":
            await asyncio.sleep(SLOW_S)
            writer.write(reply)
            await writer.drain()
        elif fault in ("blackhole", "swallow"):
            await asyncio.sleep(HOLD_S)
        elif fault in ("reset_before", "reset_after"):
            _reset(writer)

    def _note(self, asked: Asked, fault: str, status: int | None) -> None:
        if asked.kind in ("submit", "run", "webhook"):
            facts = {"kind": asked.kind, "key": asked.key, "fault": fault, "status": status}
            self._log.write(json.dumps({"t": time.time(), **facts}) + "\n")


def _reset(writer: asyncio.StreamWriter) -> None:
    """RST instead of FIN: linger with time 0."""
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def serve(port: int, control: int, upstreams: list[int], log: Path, seed: int) -> None:
    """Until the process is ended."""
    proxy = Proxy(port, upstreams, log, seed)
    await proxy.listen()
    server = await asyncio.start_server(proxy.control, "127.0.0.1", control)
    await server.serve_forever()


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(prog="python -m tests.rig.proxy")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--control", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("upstreams", type=int, nargs="+", metavar="UPSTREAM_PORT")
    given = parser.parse_args()
    asyncio.run(serve(given.port, given.control, given.upstreams, given.log, given.seed))


if __name__ == "__main__":
    main()
