"""Sessions of programs with an API token, through the whole application and with the `faldeck` package."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import quote

import msgpack
import pytest
import uvicorn
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from requests_app import client as faldeck
from requests_app.client.cli import main
from requests_app.models import (
    HIDDEN,
    ApiToken,
    Direction,
    FalRequest,
    Membership,
    Mode,
    RequestOrigin,
    Role,
    Status,
    TokenScope,
)
from requests_app.relay import program
from requests_app.worker.loop import worker_loop
from tests.api.conftest import Caller, join
from tests.gateway.conftest import _Server, wait_for


@pytest.fixture
def site(transactional_db: None, at_sandbox: Any, settings: Any) -> Iterator[str]:
    """The whole application on a port, as every ASGI server runs it."""
    from dashboard.asgi import application

    settings.ALLOWED_HOSTS = ["127.0.0.1"]
    server = _Server(uvicorn.Config(application, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    wait_for(lambda: server.started)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(30)
    worker_loop.stop(1)


@pytest.fixture
def token(transactional_db: None, owner: Caller) -> str:
    return owner.text


def ended() -> FalRequest:
    """The newest session, when it is over."""
    wait_for(lambda: FalRequest.objects.latest("id").is_ended)
    return FalRequest.objects.latest("id")


def address(site: str, rest: str = "sandbox/echo") -> str:
    return f"{site.replace('http', 'ws', 1)}/api/v1/realtime/{quote(rest, safe='/?=&')}"


def test_a_session_passes_bytes_as_they_are_and_is_recorded_with_its_options(
    site: str, token: str, owner: Caller
) -> None:
    sent = msgpack.packb({"number": 2, "image": b"\x00\xff"})
    given = "path=/realtime&max_buffering=5&auth=key&options=" + json.dumps({"runner_hint": "near"})
    headers = {"Authorization": f"Bearer {token}", "X-Fal-Tags": "a=b", "Cookie": "sessionid=x"}
    url = address(site, f"sandbox/echo?{given}")
    with connect(url, additional_headers=headers, open_timeout=30) as session:
        named = json.loads(session.recv(timeout=30))
        assert (named["type"], named["action"]) == ("x-fal-message", "session")
        session.send(sent)
        answer = session.recv(timeout=30)
        assert msgpack.unpackb(answer)["doubled"] == 4
    row = ended()
    assert (str(row.public_id), row.mode, row.person) == (named["id"], Mode.REALTIME, owner.user)
    assert (row.origin, row.status) == (RequestOrigin.API, Status.COMPLETED)
    assert row.options["max_buffering"] == 5
    assert row.options["runner_hint"] == "near"
    frames = [(frame.direction, frame.raw and bytes(frame.raw)) for frame in row.frames.all()]
    assert frames == [(Direction.OUT, sent), (Direction.IN, answer)]


def test_a_page_of_another_site_gives_the_token_as_a_subprotocol(site: str, token: str) -> None:
    offered: Any = ["faldeck", token]
    with connect(address(site), subprotocols=offered, open_timeout=30) as session:
        assert session.subprotocol == "faldeck"
        assert json.loads(session.recv(timeout=30))["id"]


REFUSALS = [
    ("no token", "sandbox/echo", 4401, "A valid API token"),
    ("", "sandbox", 4400, "endpoint_id"),
    ("", "sandbox/echo?speed=2", 4400, "The query takes"),
    ("", "sandbox/echo?max_buffering=99", 4400, "max_buffering"),
    ("", "sandbox/echo?max_buffering=x", 4400, "whole number"),
    ("", "sandbox/echo?options=[", 4400, "JSON object"),
    ("", "sandbox/echo?options=[1]", 4400, "an object with"),
    ("", 'sandbox/echo?options={"headers":3}', 4400, "names and values"),
    ("", 'sandbox/echo?options={"headers":{"Cookie":"a"}}', 4400, "headers"),
    ("viewer", "sandbox/echo", 4403, "A viewer may look"),
    ("reads", "sandbox/echo", 4403, "scope"),
    ("sees none", "sandbox/echo", 4403, HIDDEN),
    ("", "sandbox/nothing", 4502, "HTTP"),
]


def test_what_may_not_begin_is_told_in_words_and_by_the_close_code(
    site: str, token: str, owner: Caller, teammate: Caller
) -> None:
    blind = join("bea", owner.team, Role.MEMBER)
    Membership.objects.filter(user=blind.user).update(sees_payloads=False)
    tokens = {
        "sees none": blind.text,
        "no token": "fdk_x",
        "viewer": teammate.text,
        "reads": ApiToken.issue(owner.user, owner.team, scope=TokenScope.READ),
    }
    for who, rest, code, sentence in REFUSALS:
        headers = {"Authorization": f"Bearer {tokens.get(who, token)}"}
        with connect(address(site, rest), additional_headers=headers, open_timeout=30) as session:
            told = json.loads(session.recv(timeout=30))
            assert (told["type"], told["error"]) == ("x-fal-error", "REFUSED"), rest
            assert sentence in told["reason"], rest
            with pytest.raises(ConnectionClosed) as closed:
                session.recv(timeout=30)
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == code, rest
    assert FalRequest.objects.count() == 1  # fal was asked for the last alone


def test_a_session_ends_with_its_token(
    site: str, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(program, "CHECKED_EVERY_S", 0.2)
    client = faldeck.SyncClient(token, url=site)
    with client.realtime("sandbox/echo") as session:
        ApiToken.objects.update(revoked_at=timezone.now())
        with suppress(ConnectionClosed):
            for _ in range(600):  # a session without messages ends by itself
                session.send({"number": 1})
                if session.recv() is None:
                    break
                time.sleep(0.1)
    assert "no longer valid" in ended().observations.latest("id").note


def test_the_package_talks_as_fals_client_does(site: str, token: str) -> None:
    with faldeck.SyncClient(token, url=site).realtime("sandbox/echo", use_jwt=False) as session:
        session.send({"number": 21, "blob": b"\x00"})
        answer = session.recv()
        assert answer is not None
        assert answer["doubled"] == 42
        session.send({"error": "on purpose"})
        with pytest.raises(faldeck.RealtimeError, match="INTERNAL_ERROR"):
            session.recv()
        assert session.recv() is None
        assert str(ended().public_id) == session.request_id

    async def talk() -> None:
        async with faldeck.AsyncClient(token, url=site) as client:
            async with client.realtime("sandbox/echo") as session:
                await session.send({"number": 1})
                answer = await session.recv()
                assert answer is not None
                assert answer["doubled"] == 2
            async with client.ws_connect("sandbox/echo", path="/realtime") as socket:
                await socket.send(msgpack.packb({"number": 2}))
                assert msgpack.unpackb(await socket.recv())["doubled"] == 4
            with pytest.raises(faldeck.RealtimeError, match="endpoint_id"):
                async with client.realtime("sandbox"):
                    pass

    asyncio.run(talk())
    with pytest.raises(ValueError, match="max_buffering"):
        faldeck.SyncClient(token, url=site).realtime("sandbox/echo", max_buffering=61).__enter__()
    with pytest.raises(faldeck.FalClientConnectionError):
        faldeck.SyncClient(token, url="http://127.0.0.1:9").realtime("sandbox/echo").__enter__()


@pytest.mark.slow
def test_a_recorded_session_is_played_and_sent_once_more_in_the_shell(
    site: str, token: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FALDECK_URL", site)
    monkeypatch.setenv("FALDECK_TOKEN", token)
    monkeypatch.setattr("requests_app.client.replay.SILENCE_S", 1.0)
    with faldeck.SyncClient().realtime("sandbox/echo") as session:
        for number in (1, 2):
            session.send({"number": number})
            session.recv()
    first = str(ended().public_id)

    def printed(*words: str) -> list[str]:
        with pytest.raises(SystemExit) as end:
            main(words)
        assert not end.value.code
        return capsys.readouterr().out.splitlines()

    played = printed("replay", first, "--speed", "0")
    assert [line[0] for line in played] == [">", "<", ">", "<"]
    assert json.loads(played[0][2:]) == {"number": 1}
    kept = [json.loads(line) for line in printed("replay", first, "--speed", "0", "--json")]
    assert [frame["number"] for frame in kept] == [1, 2, 3, 4]
    again = printed("replay", first, "--send", "--speed", "0")
    assert sorted(line[0] for line in again) == ["<", "<", ">", ">"]
    assert str(ended().public_id) != first
    assert FalRequest.objects.count() == 2
