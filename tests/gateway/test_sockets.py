"""Realtime sessions of programs, at the sandbox."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from dashboard.local_apps import LocalApp
from requests_app.keys import key_of
from requests_app.models import (
    ApiToken,
    Direction,
    FalKey,
    FalRequest,
    Mode,
    Observation,
    Status,
    Team,
)
from requests_app.relay import program
from tests.fal.socket_peer import SocketPeer, after_first
from tests.fal.socket_peer import says as socket_says
from tests.gateway.conftest import Serving, wait_for


def opened(serving: Serving, key: str, path: str = "sandbox/echo/realtime") -> ClientConnection:
    url = f"{serving.url.replace('http', 'ws', 1)}/gateway/run/{path}"
    return connect(url, additional_headers={"Authorization": f"Key {key}"}, open_timeout=30)


def test_a_session_is_passed_on_byte_by_byte_and_recorded(
    at_sandbox: Any, serving: Serving, key: str, owner: User
) -> None:
    sent = msgpack.packb({"number": 2, "image": b"\x00\xff"})
    with opened(serving, key) as session:
        session.send(sent)
        answer = session.recv(timeout=30)
        assert msgpack.unpackb(answer)["doubled"] == 4
        session.send(msgpack.packb({"error": "on purpose"}))
        told = session.recv(timeout=30)
        assert isinstance(told, str)
        assert "INTERNAL_ERROR" in told
        with pytest.raises(ConnectionClosed) as closed:
            session.recv(timeout=30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1000
    (row,) = serving.recorded()
    assert (row.mode, row.person, row.status) == (Mode.REALTIME, owner, Status.FAILED)
    frames = [(frame.direction, frame.raw and bytes(frame.raw)) for frame in row.frames.all()]
    assert frames[:2] == [(Direction.OUT, sent), (Direction.IN, answer)]


def test_a_session_ends_with_its_program_and_with_its_key(
    at_sandbox: Any, serving: Serving, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "CHECKED_EVERY_S", 0.2)
    ended = FalRequest.objects.filter(status=Status.COMPLETED)
    with opened(serving, key):
        wait_for(lambda: FalRequest.objects.filter(status=Status.IN_PROGRESS).exists())
    wait_for(lambda: ended.count() == 1)
    with opened(serving, key, "sandbox/echo/realtime?max_buffering=5") as session:
        ApiToken.objects.update(revoked_at=timezone.now())
        with pytest.raises(ConnectionClosed):
            for _ in range(600):  # a session without messages ends by itself
                session.send(msgpack.packb({"number": 1}))
                session.recv(timeout=60)
                time.sleep(0.1)
    wait_for(lambda: ended.count() == 2)
    last = FalRequest.objects.latest("id").observations.latest("id")
    assert "no longer valid" in last.note


@pytest.mark.parametrize("case", ["no key", "viewer", "no endpoint", "unknown app"])
def test_what_may_not_begin_is_refused_in_the_handshake(
    at_sandbox: Any, serving: Serving, key: str, viewer: User, team: Team, case: str
) -> None:
    keys = {"no key": "a:b", "viewer": f"a:{ApiToken.issue(viewer, team)}"}
    paths = {"no endpoint": "realtime", "unknown app": "sandbox/nothing/realtime"}
    with pytest.raises(InvalidStatus) as refused:
        opened(serving, keys.get(case, key), paths.get(case, "sandbox/echo/realtime"))
    assert refused.value.response.status_code == 403


OWN = "program:canary5e1f-of-the-program"


@pytest.fixture
def fal(serving: Serving, settings: Any) -> Iterator[SocketPeer]:
    """A scripted fal on the gateway's own loop."""
    peer = SocketPeer()
    serving.run(peer.__aenter__())
    settings.FAL_REALTIME_URL, settings.FAL_KEY = peer.url, "id:of-the-server"
    yield peer
    serving.recorded()
    serving.run(peer.__aexit__())


def beside(
    serving: Serving, key: str, path: str = "acme/live/realtime", **headers: str
) -> ClientConnection:
    """Open a session past the token in the path."""
    url = f"{serving.url.replace('http', 'ws', 1)}/gateway/t/{key.partition(':')[2]}/run/{path}"
    return connect(url, additional_headers=headers, open_timeout=30)


def values(peer: SocketPeer, name: str) -> list[str]:
    return [text for asked in peer.requests for text in asked.headers.get_all(name)]


def test_a_programs_own_key_opens_its_session_and_fals_words_and_close_come_back_unchanged(
    serving: Serving, key: str, fal: SocketPeer, owner: User, team: Team,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    fal.act = after_first(socket_says(b"\x00raw", '{"type":"note"}', code=4321, reason="enough"))
    headers = {"Authorization": f"Key {OWN}", "Cookie": "sessionid=x"}
    with beside(serving, key, "acme/live/realtime?max_buffering=7", **headers) as session:
        session.send(b"\x81\xa1n\x01")
        assert [session.recv(timeout=30), session.recv(timeout=30)] == [
            b"\x00raw", '{"type":"note"}',
        ]  # fmt: skip
        with pytest.raises(ConnectionClosed) as closed:
            session.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4321, "enough")
    assert [asked.path for asked in fal.requests] == ["/acme/live/realtime?max_buffering=7"]
    assert values(fal, "authorization") == [f"Key {OWN}"]
    assert values(fal, "cookie") == []
    (row,) = serving.recorded()
    assert (row.team, row.person, row.mode) == (team, owner, Mode.REALTIME)
    assert [bytes(frame.raw or b"") for frame in row.frames.all()[:2]] == [
        b"\x81\xa1n\x01", b"\x00raw",
    ]  # fmt: skip
    assert "keeps to itself" in key_of(row.fal_key_id).problem
    assert row.observations.filter(note__contains="its own key").exists()
    rows = [*FalRequest.objects.all(), *Observation.objects.all(), *FalKey.objects.all()]
    stored = serializers.serialize("json", rows)
    # The peer and this test's own client log what they get and send.
    logged = [one.getMessage() for one in caplog.records if not one.name.startswith("websockets.")]
    for secret in (OWN.partition(":")[2], key.partition(":")[2]):
        assert secret not in stored
        assert secret not in str(logged)
        assert secret not in str([asked.path for asked in fal.requests])


def test_a_token_that_fal_made_for_a_programs_own_key_opens_a_session_too(
    serving: Serving, key: str, fal: SocketPeer
) -> None:
    for _ in range(2):
        with beside(serving, key, "acme/live/realtime?fal_jwt_token=made.by-fal") as session:
            session.send(b"\x01")
            assert session.recv(timeout=30) == b"\x01"
    assert {asked.path for asked in fal.requests} == {
        "/acme/live/realtime?fal_jwt_token=made.by-fal"
    }
    assert values(fal, "authorization") == []
    first, second = serving.recorded()
    assert first.fal_key_id == second.fal_key_id
    assert FalKey.objects.get(pk=first.fal_key_id).is_of_program
    assert "made.by-fal" not in serializers.serialize(
        "json", [first, *first.observations.all(), *FalKey.objects.all()]
    )


def test_what_is_not_one_credential_of_fals_beside_a_token_of_ours_opens_no_session(
    serving: Serving, key: str, fal: SocketPeer, viewer: User, team: Team
) -> None:
    ours, seen = key.partition(":")[2], f"x:{ApiToken.issue(viewer, team)}"
    own = {"Authorization": f"Key {OWN}"}
    live, asked = "acme/live/realtime", "acme/live/realtime?fal_jwt_token="
    cases: list[tuple[str, str, dict[str, str]]] = [
        (key, live, {}),
        (key, live, {"Authorization": "Basic abc"}),
        (key, live, {"Authorization": f"Key {key}"}),
        (key, f"{asked}one", own),
        (key, f"{asked}one&fal_jwt_token=two", {}),
        (key, f"{asked}{ours}", {}),
        (seen, live, own),
        ("x:fdk_wrong", live, own),
    ]
    for wrong, path, headers in cases:
        with pytest.raises(InvalidStatus) as refused:
            beside(serving, wrong, path, **headers)
        assert refused.value.response.status_code == 403, (path, headers)
    base = serving.url.replace("http", "ws", 1)
    for path in (
        "gateway/queue/acme/live/realtime",
        f"gateway/t/{ours}/queue/acme/live",
        "gateway/t",
    ):
        with pytest.raises(InvalidStatus):
            connect(f"{base}/{path}", additional_headers=own, open_timeout=30)
    assert fal.requests == []
    assert serving.recorded() == []


@pytest.mark.parametrize("is_beside", [False, True])
def test_a_session_of_an_own_app_is_held_there_without_any_key(
    serving: Serving, key: str, fal: SocketPeer, settings: Any, is_beside: bool
) -> None:
    at_app = fal.url.replace("ws", "http", 1)
    settings.LOCAL_APPS = {"acme/live": LocalApp("acme/live", f"{at_app}/mounted")}
    settings.FAL_REALTIME_URL = "ws://127.0.0.1:1"
    begin = beside if is_beside else opened
    with begin(serving, key, "acme/live/paint/realtime?max_buffering=3") as session:
        session.send(b"\x81\xa1n\x01")
        assert session.recv(timeout=30) == b"\x81\xa1n\x01"
    assert [asked.path for asked in fal.requests] == ["/mounted/paint/realtime?max_buffering=3"]
    assert values(fal, "authorization") == []
    (row,) = serving.recorded()
    assert (row.endpoint_id, row.frames.count()) == ("acme/live/paint", 2)
