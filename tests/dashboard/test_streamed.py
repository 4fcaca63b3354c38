"""Bodies that the application gets while they arrive: a real Daphne, real sockets, its memory from /proc."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from dashboard.streamed import FROM
from tests.dashboard.served import (
    MB,
    Served,
    answer,
    ask,
    chunk,
    get,
    is_cut_within,
    post,
    serving,
    wait_for_end,
)
from tests.gateway.conftest import wait_for

pytestmark = pytest.mark.process

CHUNKED = b"POST /through/size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def through(length: int, name: str = "size") -> bytes:
    return post(length, path=f"/through/{name}")


def test_a_body_beyond_the_limit_of_others_passes_in_little_memory(fresh: Served) -> None:
    ask(fresh.connect(), through(2 * MB) + bytes(2 * MB))
    before = fresh.peak()
    assert ask(fresh.connect(), through(64 * MB) + bytes(64 * MB)) == (200, b"%d" % (64 * MB))
    chunks = b"".join(chunk(bytes(MB)) for _ in range(48))
    assert ask(fresh.connect(), CHUNKED + chunks + chunk(b"")) == (200, b"%d" % (48 * MB))
    assert fresh.peak() - before < 8 * MB


@pytest.mark.parametrize("size", [0, 1, FROM - 1, FROM, FROM + 1, FROM + 65_536])
@pytest.mark.parametrize("at_once", [True, False])
def test_every_byte_arrives_and_the_connection_serves_on(
    shared: Served, size: int, at_once: bool
) -> None:
    client = shared.connect()
    for _ in range(2):
        if at_once:
            assert ask(client, through(size) + bytes(size)) == (200, b"%d" % size)
            continue
        client.sendall(through(size))
        for at in range(0, size, 50_000):
            client.sendall(bytes(min(50_000, size - at)))
        assert answer(client) == (200, b"%d" % size)
    assert ask(client, post(3) + b"abc") == (200, b"3")


def test_the_application_has_the_beginning_before_the_end_is_sent(shared: Served) -> None:
    client = shared.connect()
    client.sendall(through(8 * MB, "deaf") + bytes(2 * MB))
    wait_for(lambda: "/through/deaf" in shared.log()["served"])
    client.close()


def test_a_client_that_leaves_in_mid_body_is_told_of(shared: Served) -> None:
    client = shared.connect()
    client.sendall(through(8 * MB) + bytes(3 * MB))
    wait_for(lambda: "/through/size" in shared.log()["served"])
    client.close()
    wait_for_end(shared, f"body: client gone after {3 * MB}")


def test_what_is_over_its_limit_is_refused(shared: Served) -> None:
    status, text = ask(shared.connect(), through(64 * MB + 1))
    assert (status, b"%d bytes" % (64 * MB) in text) == (413, True)
    client = shared.connect()
    client.sendall(CHUNKED)
    status, _ = ask(client, b"".join(chunk(bytes(MB)) for _ in range(65)))
    assert status == 413
    assert is_cut_within(client, 10)


def test_an_application_that_takes_nothing_holds_the_sender_back(tmp_path: Path) -> None:
    with serving(tmp_path, body_rate=4 * MB) as fresh:  # which what is held back need not keep
        hold_back(fresh)


def hold_back(fresh: Served) -> None:
    ask(fresh.connect(), through(2 * MB) + bytes(2 * MB))
    before = fresh.peak()
    client = fresh.connect()
    client.sendall(through(32 * MB, "late"))
    client.setblocking(False)
    sent = 0
    try:
        while sent < 32 * MB:
            sent += client.send(bytes(65_536))
    except BlockingIOError:
        pass
    client.settimeout(30)
    client.sendall(bytes(32 * MB - sent))
    assert answer(client) == (200, b"%d" % (32 * MB))
    assert fresh.peak() - before < 8 * MB


def test_an_answer_before_the_end_is_read_and_no_request_is_found_in_the_rest(
    shared: Served,
) -> None:
    client = shared.connect()
    client.sendall(through(16 * MB, "refused") + bytes(6 * MB))
    head, _, body = received(client).partition(b"\r\n\r\n")
    assert (head.split()[1], body) == (b"200", b"no")
    assert b"connection: close" in head.lower()
    other = shared.connect()
    other.sendall(through(16 * MB, "refused") + bytes(2 * MB) + b"\r\n\r\n" + get("/smuggled"))
    assert is_cut_within(other, 10)
    assert "/smuggled" not in shared.log()["served"]


def received(client: socket.socket) -> bytes:
    """All that comes until the server sends no more."""
    found = b""
    while piece := client.recv(65536):
        found += piece
    return found


def test_a_body_that_stops_coming_is_cut_off(tmp_path: Path) -> None:
    with serving(tmp_path, body_rate=MB) as served:
        client = served.connect()
        client.sendall(through(8 * MB, "deaf") + bytes(FROM + 1))
        assert is_cut_within(client, 30)
