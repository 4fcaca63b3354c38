"""How a session ends: from either side, by any cause, in words."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from websockets.asyncio.server import ServerConnection

from requests_app import lifecycle
from requests_app.models import FalRequest, Status
from requests_app.worker import leases
from tests.consumers.conftest import Open
from tests.consumers.sessions import CONNECT, PATH, ended, opened, send, settled
from tests.fal.socket_peer import SocketPeer, after_first, cut, echo, raw, says, stand_still

pytestmark = pytest.mark.django_db(transaction=True)
TIMEOUT = json.dumps({"type": "x-fal-error", "error": "TIMEOUT", "reason": "no inputs"})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("act", "kind", "status", "words"),
    [
        (says(b"\x01", TIMEOUT), "timeout", "completed", "nothing was sent for a while"),
        (says(b"\x01"), "normal", "completed", "in order"),
        (
            says('{"type": "x-fal-error", "error": "INTERNAL_ERROR", "reason": "no GPU"}'),
            "error", "failed", "no GPU",
        ),
        (says('{"status": "error", "error": "Unauthorized"}', code=1008), "refused", "failed",
         "connect again with a new one"),
        (says(code=1009), "error", "failed", "too big"),
        (says(code=1012), "lost", "failed", "restarting"),
        (says(code=4321, reason="quota"), "error", "failed", "quota"),
        (cut, "lost", "failed", "connection was lost"),
        (raw(b"\xff\xff garbage"), "error", "failed", "broke the WebSocket protocol"),
    ],
)  # fmt: skip
async def test_how_fal_ends_it_reaches_the_tab_in_words_and_ends_the_row(
    act: Any, kind: str, status: str, words: str, page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    fal.act = act
    end, row = await ended(page, as_owner)
    assert (end["kind"], end["status"], row.status) == (kind, status, status)
    assert words in end["sentence"]
    if status == "failed":
        assert row.error == end["sentence"]
    last = await row.observations.order_by("id").alast()
    assert last and last.note == end["sentence"][:500]
    assert (last.data["close_code"], row.error_code) == (end["code"], None)


@pytest.mark.parametrize(
    ("code", "words"), [(401, "not valid"), (403, "may not open"), (404, "no realtime endpoint")]
)
async def test_a_refused_handshake_reaches_the_tab_in_words(
    code: int, words: str, page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    fal.refusal = (code, {}, b"")
    end, row = await ended(page, as_owner)
    assert (end["kind"], end["code"], row.status) == ("refused", None, "failed")
    assert end["http_code"] == row.error_code == code
    assert words in end["sentence"] and words in row.error
    assert len(fal.requests) == 1


@pytest.mark.parametrize(
    ("url", "words"),
    [("ws://127.0.0.1:1", "connection was refused"), ("wss://127.0.0.1:{port}", "secure")],
)
async def test_what_cannot_be_reached_ends_failed_and_is_never_tried_again(
    url: str, words: str, page: Open, as_owner: Client, fal: SocketPeer, settings: Any
) -> None:
    settings.FAL_REALTIME_URL = url.format(port=fal.url.rpartition(":")[2])
    end, row = await ended(page, as_owner)
    assert words in end["sentence"]
    assert (row.status, row.due_at, row.lease) == (Status.FAILED, None, None)


async def test_fal_closing_closes_the_tab_at_once(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    fal.act = after_first(says())
    socket = await opened(page, as_owner)
    await send(socket, {})
    assert (
        await socket.close_code() == 1000
    )  # before the next ping, which comes later than this waits


@pytest.mark.slow
@pytest.mark.parametrize("act", [echo, stand_still])
async def test_a_closed_tab_hangs_up_at_fal(
    act: Any, page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    closed = asyncio.Event()

    async def watched(socket: ServerConnection) -> None:
        try:
            await (socket.wait_closed() if act is echo else stand_still(socket))
        finally:
            closed.set()

    fal.act = watched
    socket = await opened(page, as_owner)
    await socket.disconnect(timeout=30)
    if act is echo:
        await asyncio.wait_for(closed.wait(), 30)
    row = await settled()
    assert row.status == Status.COMPLETED
    last = await row.observations.order_by("id").alast()
    assert last and "page that held the session was closed" in last.note


async def test_a_tab_that_leaves_while_connecting_leaves_nothing_open(
    page: Open, as_owner: Client, settings: Any, fal: SocketPeer
) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(mute, "127.0.0.1", 0)
    settings.FAL_REALTIME_URL = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    socket = await page(as_owner, PATH)
    await socket.send_json_to(CONNECT)
    await socket.message("session")
    await socket.disconnect(timeout=30)
    assert (await settled()).status == Status.CANCELLED
    server.close()


async def test_a_wish_to_cancel_on_the_requests_page_ends_it_as_cancelled(
    page: Open, as_owner: Client, fal: SocketPeer, teammate: User, monkeypatch: Any
) -> None:
    monkeypatch.setattr(leases, "RENEW_EVERY_S", 0.05)
    socket = await opened(page, as_owner)
    row = await FalRequest.objects.aget()
    ask = sync_to_async(lifecycle.ask_cancel)
    await ask(row.pk, person=teammate, now=timezone.now())
    assert (await socket.message("ended"))["status"] == "cancelled"
    assert (await FalRequest.objects.aget()).status == Status.CANCELLED


async def test_a_fault_of_ours_ends_row_and_tab_in_words(
    page: Open, as_owner: Client, fal: SocketPeer, monkeypatch: Any
) -> None:
    monkeypatch.setattr("requests_app.relay.upstream.connect", None)
    end, row = await ended(page, as_owner)
    assert "fault on our side" in end["sentence"]
    assert row.status == Status.FAILED
