"""The gateway in a real process behind Daphne: replies that break off, slow readers, a stop in mid-call."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.benchmarks.latency import make_member
from tests.fal.peer import events, hang, reply, truncated
from tests.gateway.conftest import wait_for
from tests.process.serving import Serving
from tests.worker.conftest import peer as peer

pytestmark = pytest.mark.process

MB = 1024 * 1024


@pytest.fixture
def serving(tmp_path: Path, peer: Any) -> Iterator[Serving]:
    hosts = {
        f"FAL_{name}_URL": f"{peer.url}/{name.lower()}" for name in ("RUN", "QUEUE", "REST", "API")
    }
    hosts["FAL_JWKS_URL"] = f"{peer.url}/jwks.json"
    with Serving(tmp_path, FAL_KEY="id:secret", **hosts) as installation:
        yield installation


@pytest.fixture
def token(serving: Serving) -> str:
    return make_member(serving)


def rows(serving: Serving, token: str) -> list[dict[str, Any]]:
    """The team's requests, newest first."""
    headers = {"Authorization": f"Bearer {token}"}
    reply = httpx.get(f"{serving.url}/api/v1/requests/", headers=headers, timeout=30)
    found: list[dict[str, Any]] = reply.raise_for_status().json()["items"]
    return found


def opened(serving: Serving, token: str, path: str) -> socket.socket:
    """A call whose connection the test holds, with a small buffer for what comes back."""
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
    caller.settimeout(60)
    caller.connect(("127.0.0.1", serving.port))
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Key a:{token}\r\nContent-Length: 2\r\n\r\n{{}}"
    caller.sendall(head.encode())
    return caller


def peak(serving: Serving) -> int:
    """The most memory the process has ever had, in bytes."""
    assert serving.process is not None
    status = Path(f"/proc/{serving.process.pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def asked(peer: Any) -> list[str]:
    """What the gateway asked, without the worker's own look at fal."""
    return [one.target for one in peer.requests if one.method == "POST"]


def test_what_breaks_off_breaks_off_and_a_slow_reader_costs_no_memory(
    serving: Serving, token: str, peer: Any
) -> None:
    key = {"Authorization": f"Key a:{token}"}
    peer.will(truncated(200, b'{"images":'))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{serving.url}/gateway/run/acme/cut", json={}, headers=key, timeout=60)
    peer.will(events(b'data: {"output": 1}\n\n', end=False))
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(f"{serving.url}/gateway/run/acme/llm/stream", json={}, headers=key, timeout=60)
    wait_for(lambda: [row["status"] for row in rows(serving, token)] == ["failed", "failed"], 60)

    before = peak(serving)
    peer.will(reply(200, bytes(200 * MB), "application/octet-stream"))
    with closing(opened(serving, token, "/gateway/run/acme/slow")) as slow:
        wait_for(lambda: len(asked(peer)) == 3, 60)
        assert httpx.get(f"{serving.url}/healthz", timeout=60).status_code == 200
        size = 0
        while size < 200 * MB:
            size += len(slow.recv(65536))
    assert peak(serving) - before < 150 * MB  # of which the record holds 64 MB


@pytest.mark.parametrize("end", [Serving.stop, Serving.kill])
@pytest.mark.parametrize(
    ("path", "status"), [("queue/acme/img", "uncertain"), ("run/acme/img", "failed")]
)
def test_a_call_that_an_end_of_the_process_interrupts_is_told_after_the_next_start(
    serving: Serving, token: str, peer: Any, end: Any, path: str, status: str
) -> None:
    peer.will(hang)
    with closing(opened(serving, token, f"/gateway/{path}")):
        wait_for(lambda: asked(peer), 60)
        end(serving)
    serving.start()
    wait_for(lambda: [row["status"] for row in rows(serving, token)] == [status], 60)
    assert len(asked(peer)) == 1
