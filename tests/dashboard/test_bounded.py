"""A real Daphne in a process of its own, real sockets, its memory from /proc."""

from __future__ import annotations

import asyncio
import base64
import os
import socket
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest

from dashboard.bounded import Paced
from tests.dashboard.served import (
    LIMIT_S,
    LIMITS,
    MB,
    Served,
    answer,
    ask,
    chunk,
    get,
    is_cut_within,
    piece,
    post,
    wait_for_end,
)

pytestmark = pytest.mark.process

SECRET = "a" * 43
HOOK = f"/hooks/fal/6f1b4f3e-0000-4000-8000-000000000000/{SECRET}"


CHUNKED = b"POST /size HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def upgrade(client: socket.socket, path: str) -> None:
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1", "Host: x", "Upgrade: websocket", "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}", "Sec-WebSocket-Version: 13", "Origin: http://x",
    ]  # fmt: skip
    client.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())


def text_frame(text: bytes) -> bytes:
    """A client frame, masked with zeros."""
    size = bytes([len(text)]) if len(text) < 126 else b"\x7f" + len(text).to_bytes(8, "big")
    return bytes([0x81, 0x80 | size[0]]) + size[1:] + bytes(4) + text


# Request headers


@pytest.mark.parametrize(
    "lines",
    [
        ["X-Fal-Webhook-User-Id: " + "u" * 16_000],
        ["X-Fal-Webhook-User-Id: " + "u" * 17_000],
        [f"X-{number}: {number}" for number in range(2000)],
        ["X-" + "n" * 16_000 + ": 1"],
    ],
    ids=["16 kB", "17 kB", "2,000 of them", "a long name"],
)
def test_a_header_as_large_as_fals_may_be_is_read(shared: Served, lines: list[str]) -> None:
    assert ask(shared.connect(), post(2, *lines) + b"{}") == (200, b"2")


def test_a_header_over_the_limit_is_refused(shared: Served) -> None:
    client = shared.connect()
    client.sendall(post(2, *["X: " + "x" * 16_000] * 5) + b"{}")
    assert is_cut_within(client, LIMIT_S)


# Request bodies


def test_a_body_of_just_the_limit_is_served(shared: Served) -> None:
    assert ask(shared.connect(), post(8 * MB) + bytes(8 * MB)) == (200, b"%d" % (8 * MB))


def test_a_declared_body_over_the_limit_is_refused_before_it_is_read(fresh: Served) -> None:
    before = fresh.peak()
    status, text = ask(fresh.connect(), post(1024 * MB))
    assert status == 413
    assert b"8388608 bytes" in text
    assert "/size" not in fresh.log()["served"]
    assert fresh.peak() - before < 4 * MB


def test_a_sender_that_does_not_wait_for_the_answer_still_gets_it(shared: Served) -> None:
    assert ask(shared.connect(), post(20 * MB) + bytes(20 * MB))[0] == 413


def test_a_client_that_asks_first_is_not_told_to_go_on(shared: Served) -> None:
    client = shared.connect()
    client.sendall(post(9 * MB, "Expect: 100-continue"))
    assert answer(client)[0] == 413


def test_a_chunked_body_is_counted_and_refused_at_the_limit(fresh: Served) -> None:
    before, client = fresh.peak(), fresh.connect()
    client.sendall(CHUNKED)
    for _ in range(9):
        client.sendall(chunk(bytes(MB)))
    assert answer(client)[0] == 413
    assert "/size" not in fresh.log()["served"]
    assert fresh.peak() - before < 16 * MB


def test_a_refused_request_is_not_served_when_its_end_arrives_with_the_excess(
    fresh: Served,
) -> None:
    client = fresh.connect()
    client.sendall(CHUNKED + chunk(bytes(MB)) * 8)
    time.sleep(0.5)  # so that the rest arrives in one piece
    assert ask(client, chunk(b"x") + chunk(b""))[0] == 413
    assert "/size" not in fresh.log()["served"]


def test_a_chunked_body_that_ends_in_time_is_served(shared: Served) -> None:
    data = CHUNKED + chunk(bytes(MB)) * 2 + chunk(b"")
    assert ask(shared.connect(), data) == (200, b"%d" % (2 * MB))


def test_a_form_made_of_separators_costs_no_multiple_of_its_size(fresh: Served) -> None:
    before = fresh.peak()
    form = post(8 * MB, "Content-Type: application/x-www-form-urlencoded")
    assert ask(fresh.connect(), form + b"&" * 8 * MB)[0] == 200
    assert fresh.peak() - before < 64 * MB


def test_one_connection_serves_request_after_request(shared: Served) -> None:
    client = shared.connect()
    assert ask(client, post(3) + b"abc") == (200, b"3")
    time.sleep(LIMITS["header_s"] + 0.5)  # idle between two requests is not a slow header
    assert ask(client, post(2) + b"ab") == (200, b"2")
    client.sendall(get("/one") + get("/two"))
    both = b""
    while both.count(b"200 OK") < 2:
        both += piece(client)


# Slow senders


def answer_to_drops(client: socket.socket, drop: bytes) -> bytes:
    """What comes while drops are sent, up to ten times as many as the limits allow."""
    client.settimeout(0.2)
    for _ in range(100):
        client.sendall(drop)
        with suppress(TimeoutError):
            return client.recv(1000)
    raise AssertionError("It was never cut off.")


def test_a_header_that_drips_in_is_cut_off(shared: Served) -> None:
    client = shared.connect()
    client.sendall(b"GET / HTTP/1.1\r\n")
    assert answer_to_drops(client, b"X-Drip: 1\r\n").startswith(b"HTTP/1.1 408")
    assert is_cut_within(client, LIMIT_S)


def test_a_body_that_drips_in_is_cut_off_whatever_it_declared(shared: Served) -> None:
    client = shared.connect()
    client.sendall(post(8 * MB))
    assert answer_to_drops(client, b"x").startswith(b"HTTP/1.1 408")


def test_a_slow_but_steady_body_may_take_its_time(shared: Served) -> None:
    client = shared.connect()
    client.sendall(post(1_000_000))
    for _ in range(20):  # 2 s, of which each piece earns 2.5
        client.sendall(bytes(50_000))
        time.sleep(0.1)
    assert answer(client) == (200, b"1000000")


# Slow readers


def test_a_reader_of_http_that_reads_nothing_costs_little_and_is_cut(fresh: Served) -> None:
    before, client = fresh.peak(), fresh.connect()
    client.sendall(get("/tail"))
    wait_for_end(fresh, "tail: client gone")
    assert fresh.peak() - before < 12 * MB
    assert "Cut a reader" in fresh.printed()


def test_a_reader_of_http_that_keeps_up_gets_everything_in_bounded_memory(fresh: Served) -> None:
    before, client = fresh.peak(), fresh.connect()
    client.sendall(get("/tail"))
    size = 0
    while not (data := client.recv(MB)).endswith(b"0\r\n\r\n"):
        size += len(data)
    assert size > 127 * MB
    assert "tail: complete" in fresh.log()["ended"]
    assert fresh.peak() - before < 12 * MB


def test_a_reader_of_http_that_is_slow_but_steady_is_not_cut(shared: Served) -> None:
    client, started, size = shared.connect(), time.monotonic(), 0
    client.sendall(get("/one-piece"))
    while size < 24 * MB:
        size += len(piece(client))
        time.sleep(0.007)
    assert time.monotonic() - started > 2 * LIMITS["stall_s"]


def test_a_socket_that_reads_nothing_is_cut(fresh: Served) -> None:
    before, client = fresh.peak(), fresh.connect()
    upgrade(client, "/flood")
    wait_for_end(fresh, "/flood: client gone")
    assert fresh.peak() - before < 16 * MB
    assert "Cut a reader" in fresh.printed()


def test_messages_larger_than_the_kernel_takes_at_once_arrive_whole_and_in_order(
    shared: Served,
) -> None:
    client = shared.connect()
    upgrade(client, "/large")
    reader = client.makefile("rb")
    while reader.readline() != b"\r\n":
        pass
    for number in range(20):
        assert reader.read(2) == b"\x82\x7f"
        size = int.from_bytes(reader.read(8), "big")
        assert reader.read(size) == b"%06d" % number * 50_000


def test_a_fast_sender_is_held_back_in_bounded_memory_and_loses_nothing(fresh: Served) -> None:
    before, client = fresh.peak(), fresh.connect()
    upgrade(client, "/slow")
    piece(client)
    message = text_frame(bytes(100_000))
    for _ in range(400):
        client.sendall(message)
    client.sendall(text_frame(b"a") * 5000)
    client.sendall(text_frame(b"end"))
    while b"5401" not in piece(client):
        pass
    assert fresh.peak() - before < 20 * MB


def test_a_socket_whose_messages_nobody_reads_is_cut(shared: Served) -> None:
    client = shared.connect()
    upgrade(client, "/deaf")
    piece(client)
    for _ in range(63):
        client.sendall(text_frame(b"a"))
    assert not is_cut_within(client, 2 * LIMITS["stall_s"])
    client.sendall(text_frame(b"a"))
    assert is_cut_within(client, LIMIT_S)


@pytest.mark.parametrize("steps", range(5))
async def test_a_sender_can_be_cancelled_just_as_its_reader_catches_up(steps: int) -> None:
    connection = Paced()
    connection.transport = SimpleNamespace(dataBuffer=b"", offset=0, _tempDataLen=0)
    connection.pauseProducing()
    waiting = asyncio.create_task(connection.drained())
    await asyncio.sleep(0.01)
    assert not waiting.done()
    connection.resumeProducing()
    for _ in range(steps):
        await asyncio.sleep(0)
    cut_short = waiting.cancel()
    await asyncio.wait({waiting})
    assert waiting.cancelled() == cut_short


def test_an_answer_to_a_client_that_has_just_said_goodbye_is_dropped(fresh: Served) -> None:
    client = fresh.connect()
    upgrade(client, "/echo")
    piece(client)
    goodbye = b"\x88\x82" + bytes(4) + b"\x03\xe8"
    client.sendall(text_frame(b"a") * 20 + goodbye)
    wait_for_end(fresh, "/echo: client gone")
    assert "Traceback" not in fresh.printed()


def test_a_socket_whose_handshake_does_not_end_is_closed(shared: Served) -> None:
    client = shared.connect()
    upgrade(client, "/never-accepts")
    assert is_cut_within(client, LIMIT_S)


# Secrets


def test_no_log_line_carries_the_secret_of_the_path(fresh: Served) -> None:
    client = fresh.connect()
    client.sendall(get(HOOK))
    deadline = time.monotonic() + LIMIT_S
    while HOOK not in fresh.log()["served"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    client.close()  # the application goes on: Daphne complains and prints the request
    deadline = time.monotonic() + LIMIT_S
    while "took too long to shut down" not in fresh.printed():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    refused = fresh.connect()
    upgrade(refused, HOOK.replace("/hooks/", "/x/hooks/"))
    piece(refused)
    assert "WSCONNECT" in fresh.printed()
    assert "/hooks/fal/6f1b4f3e" in fresh.printed()
    assert SECRET not in fresh.printed()
