from __future__ import annotations

import asyncio
import dataclasses
import json
import logging
import time
from collections.abc import AsyncIterator

import httpx
import msgpack
import pytest
from websockets.asyncio.server import ServerConnection

from requests_app.fal import (
    EndpointId,
    FalClient,
    Hosts,
    Incoming,
    InvalidBuffering,
    InvalidRealtimePath,
    NotSent,
    Outgoing,
    RealtimeConnection,
    Refused,
    Unanswered,
)
from requests_app.fal.realtime import connect
from requests_app.sandbox import DEFAULT_KEY, SandboxServer, Tuning

from .conftest import KEY, QUICK
from .peer import Peer
from .peer import says as replies
from .socket_peer import SocketPeer, after_first, cut, raw, says, stand_still

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.s3cr3t"
FAILURE = json.dumps({"type": "x-fal-error", "error": "INTERNAL_ERROR", "reason": "boom"})
TIMEOUT = json.dumps({"type": "x-fal-error", "error": "TIMEOUT", "reason": "no inputs"})
HELLO = Outgoing.encode({"prompt": "hello", "request_id": "1"})


@pytest.fixture
async def sockets() -> AsyncIterator[SocketPeer]:
    async with SocketPeer() as peer:
        yield peer


@pytest.fixture
def hosts(peer: Peer, sockets: SocketPeer) -> Hosts:
    return dataclasses.replace(Hosts.fal(), realtime=sockets.url, rest=f"{peer.url}/rest")


@pytest.fixture
async def fal(hosts: Hosts) -> AsyncIterator[FalClient]:
    """Trusts anything: reading the certificates costs more than most of the tests."""
    async with (
        httpx.AsyncClient(verify=False) as http,
        FalClient(hosts, KEY, client=http, timeouts=QUICK) as client,
    ):
        yield client


async def read_all(connection: RealtimeConnection) -> list[Incoming]:
    return [message async for message in connection]


# --- Opening -------------------------------------------------------------------------------------


async def test_a_message_goes_and_comes_back(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    async with connect(fal, endpoint, auth="key", max_buffering=5) as session:
        await session.send(HELLO)
        message = await anext(session)
        assert session.ending is None
    assert (message.kind, message.value) == ("msgpack", {"prompt": "hello", "request_id": "1"})
    assert session.ending is not None
    assert (session.ending.kind, session.ending.code) == ("normal", 1000)
    assert "from this side" in session.ending.sentence
    [request] = sockets.requests
    assert request.path == "/fal-ai/flux/dev/realtime?max_buffering=5"
    assert request.headers["Authorization"] == f"Key {KEY}"
    assert request.headers["User-Agent"] == "faldeck"
    assert "Sec-WebSocket-Extensions" not in request.headers


async def test_a_fresh_token_opens_the_session_in_place_of_the_key(
    peer: Peer, sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(replies(201, TOKEN))
    async with connect(fal, endpoint) as session:
        await session.send(HELLO)
        await anext(session)
    [request] = sockets.requests
    assert request.path == f"/fal-ai/flux/dev/realtime?fal_jwt_token={TOKEN}"
    assert "Authorization" not in request.headers


async def test_without_a_token_no_socket_is_opened(
    peer: Peer, sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(replies(401, {"detail": "bad key"}))
    with pytest.raises(Refused, match="bad key"):
        async with connect(fal, endpoint):
            pass
    assert sockets.requests == []


async def test_bad_input_costs_not_even_a_token(
    peer: Peer, sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    with pytest.raises(InvalidRealtimePath):
        async with connect(fal, endpoint, path="/../x"):
            pass
    with pytest.raises(InvalidBuffering):
        async with connect(fal, endpoint, max_buffering=61):
            pass
    assert (peer.requests, sockets.requests) == ([], [])


async def test_neither_key_nor_token_reaches_a_log_or_an_error(
    peer: Peer,
    sockets: SocketPeer,
    fal: FalClient,
    endpoint: EndpointId,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "requests_app")  # as somebody does who looks for a fault
    caplog.set_level(logging.DEBUG, "requests_app.fal.realtime_handshake.socket")
    logging.getLogger("websockets.server").setLevel(logging.INFO)  # the peer's own
    async with connect(fal, endpoint, auth="key") as session:
        await session.send(HELLO)
    peer.will(replies(201, TOKEN))
    sockets.refusal = (403, {}, b"")
    with caplog.at_level(logging.DEBUG, "websockets.client"), pytest.raises(Refused) as caught:
        async with connect(fal, endpoint):
            pass
    assert len(sockets.requests) == 2
    seen = caplog.text + str(caught.value) + repr(caught.value) + repr(session)
    assert TOKEN not in seen
    assert KEY not in seen
    assert caught.value.__cause__ is None


# --- Ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "kind", "code", "words"),
    [
        (says(), "normal", 1000, "in order"),
        (says(TIMEOUT), "timeout", 1000, "nothing was sent"),
        (says(FAILURE), "error", 1000, "INTERNAL_ERROR: boom"),
        (says('{"status":"error","error":"Unauthorized"}', code=1008), "refused", 1008, "new one"),
        (says(code=1011, reason="oops"), "error", 1011, "Reason: oops"),
        (says(code=1012), "lost", 1012, "restarting"),
        (says(code=4403, reason="mine"), "error", 4403, "its own"),
        (cut, "lost", 1006, "without a close message"),
        (raw(b"\x88\x00"), "normal", 1005, "without giving a code"),
        (raw(b"\xff\xff\xff"), "error", 1002, "broke the WebSocket protocol"),
        (raw(b"\x81\x02\xc3\x28"), "error", 1007, "UTF-8"),
        (says(b"x" * 2000), "error", 1009, "limit set here"),
        (raw(b"\x82\x7f\x7f" + b"\xff" * 7), "error", 1009, "limit set here"),
    ],
)
async def test_every_end_is_told_in_words(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId, act, kind, code, words
) -> None:
    sockets.act = act
    async with connect(fal, endpoint, auth="key", max_size=1999) as session:
        await read_all(session)
        end = session.ending
        with pytest.raises(NotSent):
            await session.send(HELLO)
    assert end is not None
    assert (end.kind, end.code) == (kind, code)
    assert words in end.sentence
    assert session.ending is end  # our own closing does not overwrite it


async def test_timings_do_not_end_a_session_and_what_came_before_the_end_is_read(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    timings = '{"type":"x-fal-message","action":"timings","timing":0.5}'
    sockets.act = after_first(says(*[msgpack.packb(n) for n in range(50)], timings, "plain"))
    async with connect(fal, endpoint, auth="key") as session:
        await session.send(HELLO)
        messages = await read_all(session)
    assert [m.value for m in messages[:50]] == list(range(50))
    assert [m.kind for m in messages[50:]] == ["control", "text"]
    assert session.ending is not None
    assert session.ending.kind == "normal"


async def test_a_json_message_is_a_text_frame(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    async with connect(fal, endpoint, auth="key") as session:
        await session.send(Outgoing.encode({"a": 1}, "json"))
        message = await anext(session)
    assert (message.kind, message.raw) == ("json", '{"a":1}')


async def test_an_error_inside_the_session_closes_it_and_goes_through(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with connect(fal, endpoint, auth="key") as session:
            raise ZeroDivisionError
    assert session.ending is not None


async def test_a_cancelled_reader_loses_nothing(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    async with connect(fal, endpoint, auth="key") as session:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(session), 0.05)
        await session.send(HELLO)
        assert (await anext(session)).raw == HELLO.data


# --- Slow ends -----------------------------------------------------------------------------------


@pytest.mark.slow
async def test_a_peer_that_never_reads_cannot_hold_up_the_closing(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    sockets.act = stand_still
    async with connect(fal, endpoint, auth="key") as session:
        writer = asyncio.create_task(fill(session))
        await asyncio.sleep(0.2)
        assert not writer.done()  # the peer's standing still reaches the sender
        await session.close()  # the peer stands still for ever
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)


async def fill(session: RealtimeConnection) -> None:
    while True:
        await session.send(Outgoing.encode({"x": "y" * 1_000_000}))


async def test_a_send_that_stands_still_ends_as_unanswered(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    sockets.act = stand_still
    async with connect(fal, endpoint, auth="key", send_timeout_s=0.2) as session:
        with pytest.raises(Unanswered, match="stopped reading") as caught:
            await fill(session)
        assert not caught.value.retryable
        assert await read_all(session) == []
        assert session.ending is not None
        assert session.ending.kind == "lost"


@pytest.mark.slow
async def test_what_cannot_leave_at_once_is_not_sent_at_once(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId
) -> None:
    """Else a peer that does not read would fill our memory, and a message overtake another."""
    sockets.act = stand_still
    small, large = Outgoing.encode(1), Outgoing.encode("x" * 100_000)
    async with connect(fal, endpoint, auth="key", send_timeout_s=1) as session:
        assert session.send_now(small)
        assert not session.send_now(large)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fill(session), 0.1)
        assert not session.send_now(small)  # it would wait behind what is not taken
        with pytest.raises(Unanswered):
            await fill(session)
        assert not session.send_now(small)  # it was cut


@pytest.mark.slow
@pytest.mark.parametrize(("size", "bound"), [(1000, 16), (64 * 1024, 16), (4 * 1024 * 1024, 32)])
async def test_a_reader_that_stops_stops_the_peer(
    sockets: SocketPeer, fal: FalClient, endpoint: EndpointId, size: int, bound: int
) -> None:
    """Bound in MB, most of it the kernel's own buffers; the peer would send 1 GB."""
    sent = 0

    async def flood(socket: ServerConnection) -> None:
        nonlocal sent
        message = bytes(size)
        while sent < 1_000_000_000:
            await socket.send(message)
            sent += size

    sockets.act = flood
    async with connect(fal, endpoint, auth="key") as session:
        await anext(session)
        stood = await settled(lambda: sent)
        assert stood <= bound * 1024 * 1024
        for _ in range(3 * stood // size):
            await anext(session)
        assert sent > stood  # reading on lets it go on


async def settled(figure) -> int:
    """The figure once it has not moved for a while."""
    last, since = -1, time.monotonic()
    while time.monotonic() - since < 0.15:
        await asyncio.sleep(0.01)
        if figure() != last:
            last, since = figure(), time.monotonic()
    return last


# --- A second peer -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox():
    with SandboxServer(tuning=Tuning(realtime_idle_s=0.4)) as server:
        yield server


@pytest.fixture
async def sandboxed(sandbox: SandboxServer) -> AsyncIterator[FalClient]:
    url = sandbox.url
    hosts = dataclasses.replace(
        Hosts.fal(), realtime=url.replace("http", "ws", 1) + "/run", rest=f"{url}/rest"
    )
    async with FalClient(hosts, DEFAULT_KEY, timeouts=QUICK) as client:
        yield client


@pytest.mark.parametrize("auth", ["token", "key"])
async def test_the_sandbox_takes_token_and_key_and_ends_an_idle_session(
    sandboxed: FalClient, auth
) -> None:
    async with connect(sandboxed, EndpointId.parse("sandbox/echo"), auth=auth) as session:
        await session.send(Outgoing.encode({"number": 2, "image": {"$bytes": "AP8="}}))
        [first, last] = await read_all(session)
    assert first.value["doubled"] == 4
    assert first.value["image"] == {"$bytes": "AP8=", "size": 2}
    assert (last.kind, last.control and last.control.kind) == ("control", "timeout")
    assert session.ending is not None
    assert (session.ending.kind, session.ending.code) == ("timeout", 1000)


async def test_the_sandbox_tells_the_exception_of_a_model(sandboxed: FalClient) -> None:
    async with connect(sandboxed, EndpointId.parse("sandbox/echo"), auth="key") as session:
        await session.send(Outgoing.encode({"error": "on purpose"}))
        await read_all(session)
    assert session.ending is not None
    assert session.ending.kind == "error"
    assert "on purpose" in session.ending.sentence


async def test_the_sandbox_refuses_an_endpoint_without_realtime(sandboxed: FalClient) -> None:
    with pytest.raises(Refused, match="may not open") as caught:
        async with connect(sandboxed, EndpointId.parse("sandbox/text"), auth="key"):
            pass
    assert caught.value.status_code == 403
