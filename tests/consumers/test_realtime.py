"""The socket that owns a session: both directions, every ending, and what a tab should not send."""

from __future__ import annotations

import asyncio
import base64
import json
import socket as socketlib
from contextlib import closing
from typing import Any

import msgpack
import pytest
from django.contrib.auth.models import User
from django.test import Client
from websockets.asyncio.server import ServerConnection

from dashboard.local_apps import LocalApp
from requests_app.consumers import rights
from requests_app.models import FalRequest, Frame, Membership, Role, Status
from tests.consumers.conftest import Open
from tests.consumers.sessions import CONNECT, PATH, ended, frames, opened, send, settled
from tests.fal.socket_peer import SocketPeer, says

pytestmark = pytest.mark.django_db(transaction=True)


# --- both directions


async def test_a_message_goes_as_msgpack_and_its_answer_comes_paired_and_recorded(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await opened(page, as_owner)
    await send(socket, {"prompt": "a lake", "image": {"$bytes": "AAEC"}}, ref=7)
    assert (await socket.message("sent")) == {"type": "sent", "ref": 7, "number": 1}
    out, answer = await frames(socket, 2)
    assert (out["number"], out["direction"], out["kind"]) == (1, "out", "msgpack")
    assert (answer["number"], answer["direction"], answer["pair"]) == (2, "in", 1)
    assert 0 < answer["rtt_ms"] < 5000
    shown = json.loads(answer["data"])
    assert shown == {"prompt": "a lake", "image": {"$bytes": "AAEC", "size": 3}}
    await socket.send_json_to({"type": "disconnect"})
    assert (await socket.message("ended"))["kind"] == "disconnected"
    first, second = [frame async for frame in Frame.objects.order_by("number")]
    packed = {"prompt": "a lake", "image": bytes([0, 1, 2])}
    assert msgpack.unpackb(bytes(first.raw or b"")) == packed
    assert bytes(second.raw or b"") == bytes(first.raw or b"")
    assert (first.data, second.data) == (out["data"], answer["data"])
    assert (first.pair, first.rtt_ms) == (None, None)
    assert (second.pair, second.rtt_ms) == (1, answer["rtt_ms"])


async def test_json_text_goes_as_a_text_frame(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await opened(page, as_owner)
    await send(socket, {"n": 1}, **{"as": "json"})
    out, answer = await frames(socket, 2)
    assert (out["kind"], answer["kind"], answer["data"]) == ("json", "json", '{"n":1}')


async def test_binary_frames_go_unchanged_and_come_back_as_they_are_to_a_program(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await opened(page, as_owner, raw=True)
    await socket.send_to(bytes_data=b"\xff\x00 any bytes")
    assert await socket.receive_from(timeout=30) == b"\xff\x00 any bytes"
    await socket.send_json_to({"type": "disconnect"})
    await socket.message("ended")
    assert [f.direction async for f in Frame.objects.order_by("number")] == ["out", "in"]


async def test_where_it_connects_is_what_was_asked_for_with_the_key(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    await opened(page, as_owner, path="/live/v2", max_buffering=5)
    [request] = fal.requests
    assert request.path == "/acme/live/live/v2?max_buffering=5"
    assert request.headers["Authorization"] == "Key id:secret"


async def test_the_platforms_options_and_own_headers_go_with_the_handshake(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    headers = {"X-Trace": "7", "x-fal-store-io": "0", "x-fal-queue-priority": "low"}
    await opened(page, as_owner, headers=headers, tags={"team": "a"}, runner_hint="warm")
    [request] = fal.requests
    sent = {name.lower(): value for name, value in request.headers.raw_items()}
    assert {name: sent.get(name) for name in (*map(str.lower, headers), "x-fal-tags")} == {
        "x-trace": "7", "x-fal-store-io": "0", "x-fal-queue-priority": "low", "x-fal-tags": "team=a",
    }  # fmt: skip
    assert (sent["x-fal-runner-hint"], sent["authorization"]) == ("warm", "Key id:secret")
    options = (await FalRequest.objects.aget()).options
    assert (options["tags"], options["store_io"]) == ("team=a", False)
    assert (options["priority"], options["headers"]) == ("low", {"x-trace": "7"})


UNKNOWN = [
    ({"type": "connect", "endpoint": "acme/live", "auth": "key", "header": {}}, "header"),
    ({"type": "connect", "endpoint_id": "acme/live"}, "endpoint_id"),
    ({"type": "connect", "endpoint": "acme/live", "token": "x" * 5000}, "token"),
    ({"type": "connect", "endpoint": "acme/live", "Tags": "a=b"}, "Tags"),
    ({"type": "send", "value": 1, "form": "json"}, "form"),
    ({"type": "ack", "number": 1, "frame": 1}, "frame"),
    ({"type": "disconnect", "code": 1000}, "code"),
]


@pytest.mark.parametrize(("wrong", "name"), UNKNOWN)
async def test_an_unknown_key_of_a_message_is_an_error_that_names_it(
    wrong: dict[str, Any], name: str, page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await page(as_owner, PATH)
    await socket.send_json_to(wrong | {"ref": 3})
    error = await socket.message("error")
    assert (repr(name) in error["message"], error["ref"]) == (True, 3)
    assert (await FalRequest.objects.acount(), fal.requests) == (0, [])
    await socket.send_json_to(CONNECT)
    await socket.message("open")


async def test_the_row_is_in_progress_while_it_is_open_and_belongs_to_the_team(
    page: Open, as_owner: Client, fal: SocketPeer, owner: User
) -> None:
    socket = await page(as_owner, PATH)
    await socket.send_json_to(CONNECT)
    session = await socket.message("session")
    row = await FalRequest.objects.select_related("team").aget()
    assert session["id"] == str(row.public_id)
    assert session["url"] == f"/requests/{row.public_id}/"
    assert (row.mode, row.person_id, row.team.name) == ("realtime", owner.pk, "Acme")
    await socket.message("open")
    async with asyncio.timeout(30):
        while (await FalRequest.objects.aget()).status != Status.IN_PROGRESS:
            await asyncio.sleep(0.01)


async def test_a_thousand_messages_at_once_all_arrive_in_order(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await opened(page, as_owner)
    for number in range(1000):
        await send(socket, {"n": number})
    seen = await frames(socket, 2000)
    answers = [json.loads(f["data"])["n"] for f in seen if f["direction"] == "in"]
    assert answers == list(range(1000))
    assert [frame["number"] for frame in seen] == list(range(1, 2001))


async def test_two_sessions_side_by_side_keep_to_themselves(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    one, other = await opened(page, as_owner), await opened(page, as_owner)
    await send(one, {"who": "one"})
    await send(other, {"who": "other"})
    assert {f["data"] for f in await frames(one, 2)} == {'{"who":"one"}'}
    assert {f["data"] for f in await frames(other, 2)} == {'{"who":"other"}'}
    await one.send_json_to({"type": "disconnect"})
    await one.message("ended")
    await send(other, {"still": "here"})
    assert len(await frames(other, 2)) == 2


async def test_several_answers_to_one_message_are_not_paired_with_the_next(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    async def three_each(socket: ServerConnection) -> None:
        async for message in socket:
            for _ in range(3):
                await socket.send(message)

    fal.act = three_each
    socket = await opened(page, as_owner)
    await send(socket, {"n": 1})
    await frames(socket, 4)
    await send(socket, {"n": 2})
    assert not any(frame["pair"] for frame in await frames(socket, 4))


# --- what a tab should not send


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        "", "{", "[]", "null", "5", "[" * 5000, '{"type": "send", "value": NaN}', "{}",
        '{"type": "watch"}', '{"type": "send"}', '{"type": "send", "value": 1, "as": "xml"}',
        '{"type": "send", "value": {"$bytes": "!"}}', '{"type": "send", "value": 1e400}',
        '{"type": "send", "value": 123456789012345678901234567890}', '{"type": "ack"}',
        '{"type": "send", "value": {"a": 1, "a": 2}}', '{"type": "send", "value": 1, "value": 2}',
        '{"type": "ack", "number": -1}', '{"type": "ack", "number": "1"}', '{"type": ["send"]}',
        '{"type": "connect", "endpoint": "acme/live"}',
        '{"type": "send", "value": [' + "0," * 300_000 + "0]}",
        '{"type": "send", "value": ' + "[" * 70 + "]" * 70 + "}",
    ],
)  # fmt: skip
async def test_a_bad_message_is_answered_and_the_session_goes_on(
    wrong: str, page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await opened(page, as_owner)
    await socket.send_input({"type": "websocket.receive", "text": wrong})
    assert (await socket.message("error"))["message"]
    await send(socket, {"fine": True})
    assert await frames(socket, 1)


async def test_a_message_that_is_too_large_for_fal_is_refused_here(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await opened(page, as_owner)
    await socket.send_to(bytes_data=bytes(16 * 2**20 + 1))
    assert "fal takes" in (await socket.message("error"))["message"]
    large = base64.b64encode(bytes(16 * 2**20)).decode()
    await send(socket, {"$bytes": large}, ref=3)
    error = await socket.message("error")
    assert (error["ref"], "16777221 bytes" in error["message"]) == (3, True)


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"endpoint": "acme/x/requests/abc"}, {"endpoint": "acme/live\u2028"}, {"path": "/requests/abc"},
        {"endpoint": "nonsense"}, {"endpoint": "wss://evil/"}, {"endpoint": "fal-ai/../x"},
        {"path": "/../../x"}, {"path": "https://evil"}, {"path": "/a?b=c"},
        {"max_buffering": 0}, {"max_buffering": 61}, {"max_buffering": "5"}, {"auth": "none"},
        {"headers": {"Authorization": "Key x"}}, {"headers": {"x-fal-webhook": "x"}}, {"headers": "x"},
        {"headers": {"upgrade": "x"}}, {"headers": {"sec-websocket-key": "x"}}, {"headers": {"x-a": 1}},
        {"headers": {"x-a": "1", "X-A": "2"}}, {"max_queue_length": 5}, {"tags": "nonsense"},
        {"store_io": True, "headers": {"x-fal-store-io": "0"}}, {"no_retry": "1"},
    ],
)  # fmt: skip
async def test_a_session_that_cannot_be_opened_costs_no_row_and_no_connection(
    wrong: dict[str, Any], page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await page(as_owner, PATH)
    await socket.send_json_to(CONNECT | wrong)
    end = await socket.message("ended")
    assert (end["kind"], end["status"]) == ("refused", "")
    assert end["sentence"]
    assert (await FalRequest.objects.acount(), fal.requests) == (0, [])


@pytest.mark.parametrize("early", [{"type": "send", "value": 1}, {"type": "disconnect"}])
async def test_a_message_before_connect_is_an_error(
    early: dict[str, Any], page: Open, as_owner: Client
) -> None:
    socket = await page(as_owner, PATH)
    await socket.send_json_to(early)
    assert "Connect first" in (await socket.message("error"))["message"]


@pytest.mark.parametrize("how", ["says so", "is gone"])
async def test_who_leaves_before_the_session_stood_has_cancelled_it(
    how: str, page: Open, as_owner: Client, fal: SocketPeer, settings: Any
) -> None:
    with closing(socketlib.create_server(("127.0.0.1", 0))) as mute:
        settings.FAL_REALTIME_URL = f"ws://127.0.0.1:{mute.getsockname()[1]}"
        socket = await page(as_owner, PATH)
        await socket.send_json_to(CONNECT)
        await socket.message("session")
        if how == "says so":
            await socket.send_json_to({"type": "disconnect"})
            assert (await socket.message("ended"))["status"] == "cancelled"
        else:
            await socket.disconnect(timeout=30)
        assert (await settled()).status == "cancelled"


async def test_one_person_has_a_limited_number_of_sessions(
    page: Open, as_owner: Client, fal: SocketPeer, settings: Any
) -> None:
    settings.REALTIME_SESSIONS = 2
    first = await opened(page, as_owner)
    await opened(page, as_owner)
    socket = await page(as_owner, PATH)
    await socket.send_json_to(CONNECT)
    assert "2 sessions open" in (await socket.message("ended"))["sentence"]
    await first.send_json_to({"type": "disconnect"})
    await first.message("ended")
    await opened(page, as_owner)


# --- rights


async def test_nobody_opens_a_session_without_having_logged_in(
    page: Open, transactional_db: None
) -> None:
    assert await (await page(Client(), PATH)).close_code() == rights.LOGGED_OUT


async def test_a_viewer_may_not(page: Open, as_viewer: Client, fal: SocketPeer) -> None:
    socket = await page(as_viewer, PATH)
    await socket.send_json_to(CONNECT)
    assert await socket.close_code() == rights.NO_TEAM
    assert (await FalRequest.objects.acount(), fal.requests) == (0, [])


async def test_somebody_without_a_team_may_not(page: Open, as_owner: Client, owner: User) -> None:
    await Membership.objects.filter(user=owner).adelete()
    assert await (await page(as_owner, PATH)).close_code() == rights.NO_TEAM


async def test_a_member_who_becomes_a_viewer_is_cut_off(
    page: Open, as_owner: Client, owner: User, fal: SocketPeer, monkeypatch: Any
) -> None:
    monkeypatch.setattr(rights, "RECHECK_S", 0.1)
    socket = await opened(page, as_owner)
    await Membership.objects.filter(user=owner).aupdate(role=Role.VIEWER)
    assert await socket.close_code() == rights.NO_TEAM


async def test_a_message_as_json_text_keeps_its_digits_and_escapes(
    page: Open, as_owner: Client, fal: SocketPeer
) -> None:
    socket = await opened(page, as_owner)
    typed = '{"a": 7.50,  "b": [1E2, 9007199254740993], "c": "\\u00e9"}'
    message = f'{{"type": "send", "as": "json", "value": {typed} }}'
    await socket.send_input({"type": "websocket.receive", "text": message})
    [frame, *_] = await frames(socket, 1)
    assert (frame["kind"], frame["data"]) == ("json", typed.replace(" ", ""))


# --- own apps


async def test_a_session_of_an_own_app_is_held_there_and_shows_it_no_key(
    page: Open, as_owner: Client, fal: SocketPeer, settings: Any
) -> None:
    at_app = fal.url.replace("ws", "http", 1)
    settings.LOCAL_APPS = {"acme/live": LocalApp("acme/live", f"{at_app}/mounted")}
    settings.FAL_REALTIME_URL = settings.FAL_REST_URL = "ws://127.0.0.1:1"
    wish = {"auth": "token", "max_buffering": 4, "priority": "low"}
    socket = await opened(page, as_owner, **wish)
    await send(socket, {"n": 1})
    await frames(socket, 2)
    await socket.send_json_to({"type": "disconnect"})
    await socket.message("ended")
    [asked] = fal.requests
    assert asked.path == "/mounted/realtime?max_buffering=4"
    assert asked.headers["x-fal-queue-priority"] == "low"
    assert "authorization" not in asked.headers
    assert (await settled()).status == "completed"


async def test_an_own_app_that_is_away_or_has_no_such_path_is_named(
    page: Open, as_owner: Client, fal: SocketPeer, settings: Any
) -> None:
    fal.refusal = (403, {}, b"")
    settings.LOCAL_APPS = {"acme/live": LocalApp("acme/live", fal.url.replace("ws", "http", 1))}
    end, row = await ended(page, as_owner)
    assert end["sentence"].startswith("The app refused the connection (403)")
    await FalRequest.objects.filter(pk=row.pk).adelete()
    settings.LOCAL_APPS = {"acme/live": LocalApp("acme/live", "http://127.0.0.1:1")}
    end, _ = await ended(page, as_owner)
    assert end["sentence"] == "The app could not be reached: the connection was refused."


async def test_an_own_app_that_closes_is_named_in_place_of_fal(
    page: Open, as_owner: Client, fal: SocketPeer, settings: Any
) -> None:
    fal.act = says(code=1008, reason="enough")
    settings.LOCAL_APPS = {"acme/live": LocalApp("acme/live", fal.url.replace("ws", "http", 1))}
    end, row = await ended(page, as_owner)
    told = "The app closed the session by its rules: the key, the token or a limit. Reason: enough"
    assert (end["sentence"], row.error) == (told, told)
