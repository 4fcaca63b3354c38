"""Sessions with a real ``fal.App``: our wire package against fal's own realtime server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

import pytest

from requests_app.fal import CloseReason, EndpointId, Incoming, Outgoing, Pairing, Refused
from requests_app.fal.realtime import Auth, connect
from requests_app.keys import environment_key
from requests_app.worker.loop import connections
from tests.fal_app.serving import ENDPOINT_ID, FalApp

pytestmark = [
    pytest.mark.fal, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_fal_app"),
]  # fmt: skip
ENDPOINT = EndpointId.parse(ENDPOINT_ID)


@dataclass(frozen=True)
class Session:
    """What was received, and how it ended."""

    messages: list[Incoming]
    ending: CloseReason | None

    @property
    def values(self) -> list[Any]:
        """The app's own messages, decoded."""
        return [message.value for message in self.messages if message.kind == "msgpack"]


async def _held(path: str, sent: list[Outgoing], until: int | None, auth: Auth) -> Session:
    async with connect(
        connections.client(environment_key()), ENDPOINT, path=path, auth=auth
    ) as opened:
        for message in sent:
            await opened.send(message)
        received: list[Incoming] = []
        async with asyncio.timeout(30):
            while until is None or len(received) < until:
                try:
                    received.append(await anext(opened))
                except StopAsyncIteration:
                    break
    return Session(received, opened.ending)


def session(
    loop: Any,
    path: str,
    *sent: object,
    until: int | None = None,
    form: Any = "msgpack",
    auth: Auth = "key",
) -> Session:
    """Send all of it, then read to the end, or until that many messages have come.

    By "key", because no key is set and so none is sent: the app asks for nothing.
    """
    messages = [Outgoing.encode(value, form) for value in sent]
    held: Session = loop.run(_held(path, messages, until, auth), timeout_s=30)
    return held


def test_what_is_sent_comes_back(loop: Any) -> None:
    echo = session(loop, "/realtime", {"number": 7}, until=1)
    assert echo.values == [{"number": 7}]
    assert echo.ending
    assert (echo.ending.kind, echo.ending.code) == ("normal", 1000)


def test_a_token_of_the_sandbox_does_no_harm(loop: Any, sandbox: Any, settings: Any) -> None:
    """SANDBOX=1 beside the app: tokens come from the one, the session is with the other."""
    settings.FAL_KEY, settings.FAL_REST_URL = "sandbox:sandbox", f"{sandbox.url}/rest"
    echo = session(loop, "/realtime", {"number": 7}, until=1, auth="token")
    assert echo.values == [{"number": 7}]


def test_bytes_and_large_numbers_survive_the_way(loop: Any) -> None:
    echo = session(loop, "/realtime/any", {"data": {"$bytes": "AAH/"}, "big": 2**63}, until=1)
    assert echo.values == [{"data": {"$bytes": "AAH/", "size": 3}, "big": 2**63}]


def test_a_session_of_many_messages_loses_none(loop: Any) -> None:
    """fal's server reorders what is sent without waiting: only the request id tells."""
    asked = [{"number": number, "request_id": str(number)} for number in range(50)]
    echo = session(loop, "/realtime/any", *asked, until=50)
    assert sorted(value["number"] for value in echo.values) == list(range(50))
    assert {message.request_id for message in echo.messages} == set(map(str, range(50)))


def test_server_streaming_ends_with_a_timeout_which_is_no_failure(loop: Any) -> None:
    counted = session(loop, "/realtime/count", {"number": 20})
    assert sorted(value["number"] for value in counted.values) == list(range(20))
    control = counted.messages[-1].control
    assert control
    assert (control.kind, control.error) == ("timeout", "TIMEOUT")
    assert counted.ending
    assert (counted.ending.kind, counted.ending.code) == ("timeout", 1000)


def test_a_session_in_which_nothing_is_said_ends_the_same_way(loop: Any) -> None:
    silent = session(loop, "/realtime/idle")
    assert [message.kind for message in silent.messages] == ["control"]
    assert silent.ending
    assert silent.ending.kind == "timeout"


def test_an_exception_in_the_app_ends_the_session_with_its_words(loop: Any) -> None:
    failed = session(loop, "/realtime/raise", {"number": 3})
    assert failed.ending
    assert (failed.ending.kind, failed.ending.code) == ("error", 1000)
    assert "cannot count to 3" in failed.ending.sentence
    assert failed.values == []


def test_a_wrong_field_ends_the_session_with_its_name(loop: Any) -> None:
    failed = session(loop, "/realtime", {"nummer": 3})
    assert failed.ending
    assert failed.ending.kind == "error"
    assert "number" in failed.ending.sentence
    assert "Field required" in failed.ending.sentence


def test_json_text_is_not_what_the_app_reads(loop: Any) -> None:
    """fal's template takes msgpack alone; the session page must say so before it is sent."""
    failed = session(loop, "/realtime", {"number": 3}, form="json")
    assert failed.ending
    assert failed.ending.kind == "error"
    assert "INTERNAL_ERROR" in failed.ending.sentence


@pytest.mark.parametrize("path", ["/nowhere", "/stream", "/"])
def test_a_path_without_a_session_is_refused_in_words(loop: Any, path: str) -> None:
    with pytest.raises(Refused) as refused:
        session(loop, path, {"number": 3})
    assert refused.value.status_code == 403
    assert "no realtime at this path" in str(refused.value)


def test_a_restart_of_the_app_is_told_from_an_end(loop: Any, tmp_path: Any, settings: Any) -> None:
    app = FalApp(tmp_path)
    app.start()
    settings.FAL_RUN_URL = app.url
    settings.FAL_REALTIME_URL = app.url.replace("http", "ws", 1)
    try:
        ending = loop.run(_stopped_meanwhile(app), timeout_s=30)
    finally:
        app.stop()
    assert (ending.kind, ending.code) == ("lost", 1012)


async def _stopped_meanwhile(app: FalApp) -> CloseReason | None:
    async with connect(connections.client(environment_key()), ENDPOINT, auth="key") as opened:
        await opened.send(Outgoing.encode({"number": 1}))
        await anext(opened)
        stopping = asyncio.create_task(asyncio.to_thread(app.stop))
        async for _ in opened:
            pass
        await stopping
    return opened.ending


def test_replies_are_paired_with_what_was_sent_by_their_request_id(loop: Any) -> None:
    paired = loop.run(_paired([f"call-{number}" for number in range(8)]), timeout_s=30)
    assert paired == {f"call-{number}": number for number in range(8)}


async def _paired(ids: list[str]) -> dict[object, int | None]:
    """Send all at once, so that replies change places; request id -> number it was paired with."""
    pairing, clock = Pairing(unary=True), asyncio.get_running_loop().time
    found: dict[object, int | None] = {}
    async with (
        connect(
            connections.client(environment_key()), ENDPOINT, path="/realtime/any", auth="key"
        ) as opened,
        asyncio.timeout(30),
    ):
        for number, request_id in enumerate(ids):
            message = Outgoing.encode({"request_id": request_id})
            pairing.sent(number, message.request_id, clock())
            await opened.send(message)
        while len(found) < len(ids):
            reply = await anext(opened)
            pair = pairing.received(reply.request_id, clock())
            found[reply.request_id] = pair.number if pair else None
    return found
