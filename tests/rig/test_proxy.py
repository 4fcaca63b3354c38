"""The proxy does to a call what it says, and the upstream hears of it or not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.ports import free_port
from tests.rig.evidence import posts_of
from tests.rig.proxy import Asked, Proxy, read_request

ANSWER = b'{"request_id": "r-1"}'
UUID = "01234567-89ab-4def-8123-456789abcdef"


class Upstream:
    """Answers everything, and remembers what it was asked."""

    def __init__(self) -> None:
        self.port = free_port()
        self.asked: list[Asked] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = await read_request(reader)
        assert asked is not None
        self.asked.append(asked)
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(ANSWER)}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + ANSWER)
        await writer.drain()
        writer.close()


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    one = Upstream()
    server = await asyncio.start_server(one.serve, "127.0.0.1", one.port)
    yield one
    server.close()


@pytest.fixture
async def proxy(upstream: Upstream, tmp_path: Path) -> AsyncIterator[Proxy]:
    one = Proxy(free_port(), [upstream.port], tmp_path / "log", seed=1)
    await one.listen()
    yield one
    one.close()


async def submit(
    proxy: Proxy, path: str = "/queue/sandbox/echo", read_s: float = 30
) -> httpx.Response:
    timeout = httpx.Timeout(30, read=read_s)
    async with httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{proxy.port}{path}"
        return await client.post(url, json={"a": 1}, timeout=timeout)


async def test_it_passes_a_call_on_and_notes_it(
    proxy: Proxy, upstream: Upstream, tmp_path: Path
) -> None:
    assert (await submit(proxy)).content == ANSWER
    assert json.loads(upstream.asked[0].body) == {"a": 1}
    [post] = posts_of(tmp_path / "log")
    assert (post.kind, post.fault, post.status) == ("submit", "pass", 200)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fault", "outcome", "is_heard"),
    [
        ("reset_before", httpx.ReadError, False),
        ("blackhole", httpx.ReadTimeout, False),
        ("502_before", 502, False),
        ("429", 429, False),
        ("reset_after", httpx.ReadError, True),
        ("drop_reply", httpx.RemoteProtocolError, True),
        ("swallow", httpx.ReadTimeout, True),
        ("slow_reply", httpx.ReadTimeout, True),
        ("502_after", 502, True),
        ("truncate", httpx.RemoteProtocolError, True),
        ("garbage", 200, True),
    ],
)
async def test_a_fault_is_what_the_caller_sees(
    fault: str, outcome: int | type[Exception], is_heard: bool, proxy: Proxy, upstream: Upstream
) -> None:
    proxy.chances = {"submit": {fault: 1.0}}
    if isinstance(outcome, int):
        reply = await submit(proxy)
        assert reply.status_code == outcome
        assert reply.content != ANSWER
    else:
        with pytest.raises(outcome):
            await submit(proxy, read_s=1 if outcome is httpx.ReadTimeout else 30)
    assert len(upstream.asked) == is_heard


@pytest.mark.slow
async def test_while_it_is_away_connections_are_refused(proxy: Proxy) -> None:
    away = asyncio.create_task(proxy.be_away(1))
    await asyncio.sleep(0.1)
    with pytest.raises(httpx.ConnectError):
        await submit(proxy)
    await away
    assert (await submit(proxy)).status_code == 200


@pytest.mark.slow
async def test_another_upstream_is_asked_when_one_is_away(
    upstream: Upstream, tmp_path: Path
) -> None:
    proxy = Proxy(free_port(), [free_port(), upstream.port], tmp_path / "log", seed=1)
    await proxy.listen()
    replies = [await submit(proxy) for _ in range(4)]
    proxy.close()
    assert {reply.status_code for reply in replies} == {200}


async def test_the_log_names_a_webhooks_request_and_never_its_secret(
    proxy: Proxy, tmp_path: Path
) -> None:
    await submit(proxy, f"/hooks/fal/{UUID}/top-secret/")
    [post] = posts_of(tmp_path / "log")
    assert (post.kind, post.key) == ("webhook", UUID)
    assert "top-secret" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/api/v1/models/requests/by-endpoint?endpoint_id=a/b", "list"),
        ("POST", "/queue/sandbox/echo?fal_webhook=x", "submit"),
        ("GET", "/queue/sandbox/echo/requests/1/status?logs=1", "status"),
        ("GET", "/queue/sandbox/echo/requests/1", "result"),
        ("PUT", "/queue/sandbox/echo/requests/1/cancel", "cancel"),
        ("POST", "/run/sandbox/text/stream", "run"),
        ("GET", "/rest/.well-known/jwks.json", "other"),
    ],
)
def test_it_tells_calls_apart(method: str, path: str, kind: str) -> None:
    assert Asked(method, path, b"", b"").kind == kind
