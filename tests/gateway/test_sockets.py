"""Realtime sessions of programs, at the sandbox."""

from __future__ import annotations

import time
from typing import Any

import msgpack
import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from requests_app.models import ApiToken, Direction, FalRequest, Mode, Status, Team
from requests_app.relay import program
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
