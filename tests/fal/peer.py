"""A scripted HTTP/1.1 peer on a real loopback socket: it keeps what it got and does as told."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

Step = Callable[[asyncio.StreamWriter], Awaitable[None]]
"""What the peer does once a request has arrived; it may close or abort the connection."""

NGINX_502 = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>"


@dataclass(frozen=True)
class Received:
    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name.lower()), None)


def reply(
    status: int = 200, body: bytes = b"", content_type: str = "application/json", **headers: str
) -> Step:
    """A whole reply; ``x_fal_request_id="…"`` becomes the header x-fal-request-id."""
    return raw(_head(status, content_type, headers, f"content-length: {len(body)}") + body)


def says(status: int, value: Any, **headers: str) -> Step:
    return reply(status, json.dumps(value).encode(), **headers)


def html(status: int) -> Step:
    return reply(status, NGINX_502, "text/html")


def raw(data: bytes) -> Step:
    async def step(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()

    return step


def truncated(status: int, body: bytes, missing: int = 10) -> Step:
    """Announces more bytes than it sends, then hangs up."""
    head = _head(status, "application/json", {}, f"content-length: {len(body) + missing}")
    return then_close(raw(head + body))


def then_close(first: Step) -> Step:
    """The reply, then the end of the connection, which the reply had not announced."""

    async def step(writer: asyncio.StreamWriter) -> None:
        await first(writer)
        writer.close()

    return step


async def reset(writer: asyncio.StreamWriter) -> None:
    """The request was read (the work may be done); the caller sees a reset."""
    writer.transport.abort()


async def hang(writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(3600)


def drip(body: bytes, every_s: float) -> Step:
    """One byte at a time."""

    async def step(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(200, "application/json", {}, f"content-length: {len(body)}"))
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(every_s)

    return step


def events(
    *chunks: bytes,
    status: int = 200,
    content_type: str = "text/event-stream",
    end: bool = True,
    wait: asyncio.Event | None = None,
    **headers: str,
) -> Step:
    """A chunked stream: cut off without ``end``, held open until ``wait`` is set."""

    async def step(writer: asyncio.StreamWriter) -> None:
        writer.write(_head(status, content_type, headers, "transfer-encoding: chunked"))
        for chunk in chunks:
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await writer.drain()
            await asyncio.sleep(0.005)
        if wait is not None:
            await wait.wait()
        if end:
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        else:
            writer.close()

    return step


def _head(status: int, content_type: str, headers: dict[str, str], framing: str) -> bytes:
    lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", framing]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@dataclass
class Peer:
    """Answers requests with ``script`` in turn; an unexpected one gets 418."""

    script: deque[Step] = field(default_factory=deque)
    requests: list[Received] = field(default_factory=list)
    connections: int = 0
    hang_ups: int = 0
    url: str = ""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def will(self, *steps: Step) -> Peer:
        self.script.extend(steps)
        return self

    async def start(self, tls: ssl.SSLContext | None = None) -> None:
        self._server = await asyncio.start_server(self._connection, "127.0.0.1", 0, ssl=tls)
        port = self._server.sockets[0].getsockname()[1]
        self.url = f"https://localhost:{port}" if tls else f"http://127.0.0.1:{port}"

    async def stop(self) -> None:
        # First nothing more is taken: a server that closes between a connection's accept and its first turn
        # leaves the socket open.
        for listener in self._server.sockets:
            asyncio.get_running_loop().remove_reader(listener.fileno())
        for _ in range(5):  # turns of the loop, for connections that were taken and have not begun
            await asyncio.sleep(0)
        self._server.close()
        while tasks := list(self._tasks):
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            while not writer.is_closing():
                self.requests.append(await _read_request(reader))
                await (self.script.popleft() if self.script else reply(418))(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.hang_ups += 1
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)


async def _read_request(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    pairs = [line.partition(":") for line in head[1:] if line]
    headers = [(name.lower(), value.strip()) for name, _, value in pairs]
    length = int(dict(headers).get("content-length", 0))
    return Received(method, target, headers, await reader.readexactly(length))
