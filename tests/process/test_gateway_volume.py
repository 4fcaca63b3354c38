"""1 GB through the gateway each way, slow peers, readers that read nothing: its process's memory, and every byte."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing
from typing import Any

import httpx
import pytest

from tests.benchmarks.latency import make_member
from tests.gateway.conftest import wait_for
from tests.process.large_fal import MB, digest_of, result_of
from tests.process.passing_fal import PassingFal
from tests.process.serving import Serving
from tests.process.test_gateway import opened, rows
from tests.process.test_volume import growth_below

pytestmark = [pytest.mark.process, pytest.mark.long, pytest.mark.timeout(600)]

SIZE_MB = 1024
BOUND_MB = 64
STALLED = 10  # readers of each kind


@pytest.fixture(scope="module")
def fal() -> Iterator[PassingFal]:
    fal = PassingFal(SIZE_MB)
    yield fal
    fal.close()


@pytest.fixture(scope="module")
def serving(fal: PassingFal, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    hosts = {f"FAL_{name}_URL": fal.url for name in ("RUN", "QUEUE", "REST", "API")}
    serving = Serving(
        tmp_path_factory.mktemp("passing"), FAL_KEY="id:secret", FAL_JWKS_URL=f"{fal.url}/jwks.json",
        GATEWAY_BODY_LIMIT=str((SIZE_MB + 1) * MB), **hosts,
    )  # fmt: skip
    with serving:
        yield serving


@pytest.fixture(scope="module")
def token(serving: Serving, fal: PassingFal) -> str:
    token = make_member(serving)
    fal.go.set()
    warm_up = httpx.post(
        f"{serving.url}/gateway/run/acme/taken", content=bytes(8 * MB), timeout=60,
        headers={"Authorization": f"Key a:{token}"},
    )  # fmt: skip
    assert warm_up.json() == {"sha256": hashlib.sha256(bytes(8 * MB)).hexdigest()}
    return token


@pytest.fixture(autouse=True)
def pausing(fal: PassingFal, token: str) -> None:
    """Let fal stop in mid-call in each test."""
    fal.go.clear()
    fal.paused.clear()
    fal.calls.clear()
    fal.left.clear()


def others_are_served(serving: Serving, token: str) -> None:
    assert httpx.get(f"{serving.url}/healthz", timeout=60).status_code == 200
    assert rows(serving, token) is not None


def latest(serving: Serving, token: str) -> dict[str, Any]:
    return rows(serving, token)[0]


def whole_row(serving: Serving, token: str) -> dict[str, Any]:
    address = f"{serving.url}/api/v1/requests/{latest(serving, token)['id']}/"
    reply = httpx.get(address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    found: dict[str, Any] = reply.raise_for_status().json()
    return found


def test_a_body_of_a_gigabyte_arrives_whole_and_is_never_held(
    serving: Serving, token: str, fal: PassingFal
) -> None:
    size = sum(map(len, result_of(SIZE_MB)))
    told: list[bytes] = []

    def send() -> None:
        with closing(call(serving, token, "/gateway/run/acme/taken", size)) as caller:
            for piece in result_of(SIZE_MB):
                caller.sendall(piece)
            told.append(received(caller))

    sender = threading.Thread(target=send)
    with growth_below(serving, BOUND_MB, f"body of {SIZE_MB} MB"):
        sender.start()
        assert fal.paused.wait(60)
        others_are_served(serving, token)
        fal.go.set()
        sender.join()
    head, _, body = told[0].partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body.decode() == f'{{"sha256": "{digest_of(result_of(SIZE_MB))}"}}'
    assert fal.calls == ["/acme/taken"]
    wait_for(lambda: latest(serving, token)["status"] == "completed", 60)
    assert whole_row(serving, token)["input"] == {}  # larger than what is kept


@pytest.mark.parametrize("is_length_told", [True, False])
def test_a_result_of_a_gigabyte_arrives_whole_at_a_slow_reader(
    serving: Serving, token: str, fal: PassingFal, is_length_told: bool
) -> None:
    fal.is_length_told = is_length_told
    # Of one whose length is not told, as much is held as the record would keep.
    with (
        growth_below(serving, BOUND_MB * (1 if is_length_told else 2), f"result of {SIZE_MB} MB"),
        closing(opened(serving, token, "/gateway/run/acme/made")) as caller,
    ):
        assert fal.paused.wait(60)
        others_are_served(serving, token)
        fal.go.set()
        assert body_digest(caller) == digest_of(result_of(SIZE_MB))
    wait_for(lambda: latest(serving, token)["status"] == "completed", 60)
    assert latest(serving, token)["output_size"] == 0


def test_readers_that_read_nothing_cost_little_and_are_told_as_cut(
    serving: Serving, token: str, fal: PassingFal
) -> None:
    fal.go.set()
    fal.is_length_told = True
    paths = ["/gateway/run/acme/made", "/gateway/run/acme/llm/stream"] * STALLED
    # A stream that is recorded as it comes has a window of a few megabytes.
    with ExitStack() as callers, growth_below(serving, 2 * BOUND_MB, f"{len(paths)} stalled"):
        for path in paths:
            callers.enter_context(closing(opened(serving, token, path)))
        wait_for(lambda: len(fal.calls) == len(paths), 60)
        others_are_served(serving, token)
        wait_for(lambda: len(fal.left) == len(paths), 120)  # each is cut, and so is its call at fal
        wait_for(lambda: not any(is_open(row) for row in rows(serving, token)), 60)
    found = [row for row in rows(serving, token) if row["status"] == "cancelled"]
    assert {row["mode"] for row in found} == {"run", "stream"}
    assert len(found) == len(paths)


def is_open(row: dict[str, Any]) -> bool:
    return row["status"] not in ("completed", "failed", "cancelled")


def call(serving: Serving, token: str, path: str, size: int) -> socket.socket:
    """The head of a call."""
    caller = socket.create_connection(("127.0.0.1", serving.port), timeout=300)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Key a:{token}\r\n"
    caller.sendall(f"{head}Connection: close\r\nContent-Length: {size}\r\n\r\n".encode())
    return caller


def received(caller: socket.socket) -> bytes:
    """All that comes until the end."""
    return b"".join(iter(lambda: caller.recv(65536), b""))


def body_digest(caller: socket.socket) -> str:
    """The digest of a reply's body, plain or chunked, of which nothing is kept."""
    with caller.makefile("rb") as reply:
        head = b"".join(iter(reply.readline, b"\r\n"))
        digest = hashlib.sha256()
        if length := re.search(rb"(?i)content-length: (\d+)", head):
            left = int(length[1])
            while left and (piece := reply.read(min(left, MB))):
                digest.update(piece)
                left -= len(piece)
            return digest.hexdigest()
        while size := int(reply.readline(), 16):
            digest.update(reply.read(size))
            reply.readline()
        return digest.hexdigest()
