"""The `faldeck` package against a scripted peer, and beside fal's own client."""

from __future__ import annotations

import asyncio
import inspect
import json
import tomllib
from types import SimpleNamespace
from typing import Any

import fal_client
import httpx
import pytest

from requests_app import client as faldeck
from requests_app.client import Completed, InProgress, Queued, Status
from tests.client.calling import KINDS, by
from tests.fal.conftest import peer as peer
from tests.fal.peer import Peer, Step, events, reply, reset, says, truncated
from tests.source import text_of

ID = "0f3a0000-0000-4000-8000-000000000001"
both = pytest.mark.parametrize("kind", KINDS)


def row(status: str = "completed", **changed: Any) -> dict[str, Any]:
    """A request as the API shows it."""
    return {
        "id": ID, "status": status, "queue_position": None, "metrics": {}, "error": "",
        "error_type": "", "error_code": None, "output": None, "logs": [], **changed,
    }  # fmt: skip


def event(name: str, number: int, data: dict[str, Any]) -> bytes:
    return f"event: {name}\nid: {number}-0-0\ndata: {json.dumps(data)}\n\n".encode()


def status(number: int, status: str, **data: Any) -> bytes:
    return event("status", number, {"kind": "status", "status": status, "data": data})


def frame(number: int, text: str, kind: str = "event") -> bytes:
    return event("frame", number, {"direction": "in", "kind": kind, "data": text})


def log(number: int, message: str) -> bytes:
    line = {"id": number, "timestamp": "t", "level": "INFO", "source": "run", "message": message}
    return event("log", number, line)


def line(message: str) -> dict[str, str]:
    return {"timestamp": "t", "level": "INFO", "source": "run", "message": message}


SUBMITTED = says(201, row("pending"))


# --- As fal's client ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["SyncClient", "AsyncClient", "SyncRequestHandle", "AsyncRequestHandle"]
)
def test_every_method_takes_what_fals_client_takes(name: str) -> None:
    theirs, ours = getattr(fal_client, name), getattr(faldeck, name)
    methods = {
        each
        for each in vars(theirs)
        if not each.startswith("_") and callable(getattr(theirs, each))
    }
    for method in methods - {"from_request_id"}:
        wanted = inspect.signature(getattr(theirs, method)).parameters
        has = inspect.signature(getattr(ours, method)).parameters
        for parameter in wanted.values():
            assert has[parameter.name].kind == parameter.kind, f"{method}: {parameter}"
            if parameter.name != "interval":
                assert has[parameter.name].default == parameter.default, f"{method}: {parameter}"


def test_the_names_of_the_package_are_fals() -> None:
    left_out = {
        "version_tuple", "ObjectExpiration", "StorageACL", "StorageACLDecision", "StorageACLRule",
        "StorageSettings", "set_get_current_app",
    }  # fmt: skip
    assert set(fal_client.__all__) - left_out <= set(faldeck.__all__)
    for name in ("Queued", "InProgress", "Completed"):
        theirs = inspect.signature(getattr(fal_client, name)).parameters
        assert list(inspect.signature(getattr(faldeck, name)).parameters) == list(theirs)


def test_the_version_is_that_of_the_installation() -> None:
    assert f"/client/faldeck-{faldeck.__version__}-py3-none-any.whl" in text_of("README.md")
    for path in ("pyproject.toml", "requests_app/client/pyproject.toml"):
        assert tomllib.loads(text_of(path))["project"]["version"] == faldeck.__version__


def test_a_file_becomes_the_data_uri_that_fals_client_makes(tmp_path: Any) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG")
    assert faldeck.encode_file(path) == fal_client.encode_file(path)
    assert faldeck.encode("é", "text/plain") == fal_client.encode("é", "text/plain")


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({}, "Set FALDECK_URL"),
        ({"FALDECK_URL": "faldeck.example", "FALDECK_TOKEN": "t"}, "begins with https://"),
        ({"FALDECK_URL": "https://faldeck.example"}, "Set FALDECK_TOKEN"),
    ],
)
def test_what_the_environment_lacks_is_named(
    variables: dict[str, str], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("FALDECK_URL", "FALDECK_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(faldeck.MissingCredentialsError, match=sentence):
        faldeck.SyncClient().submit("acme/img", {})


# --- Submits -----------------------------------------------------------------------------------


@pytest.mark.slow
@both
async def test_a_submit_whose_answer_is_lost_is_repeated_as_the_same_call(
    kind: str, peer: Peer
) -> None:
    peer.will(reset, truncated(201, b"{"), says(503, {"detail": "later"}), SUBMITTED)
    handle = await by(
        kind, "submit", "acme/img", {"seed": 7}, path="/v2", hint="h", priority="low",
        start_timeout=5, headers={"X-A": "b"}, url=peer.url,
    )  # fmt: skip
    assert handle.request_id == ID
    assert len(peer.requests) == 4
    assert len({(one.header("idempotency-key"), one.body) for one in peer.requests}) == 1
    sent = peer.requests[0]
    assert (sent.method, sent.path) == ("POST", "/api/v1/requests/")
    assert sent.header("authorization") == "Bearer fdk_t"
    assert json.loads(sent.body) == {
        "endpoint_id": "acme/img/v2", "input": {"seed": 7}, "mode": "queue", "allow_duplicate": True,
        "headers": {"X-A": "b"}, "runner_hint": "h", "priority": "low", "start_timeout": 5.0,
    }  # fmt: skip


@both
async def test_another_submit_has_another_key_unless_the_caller_names_one(
    kind: str, peer: Peer
) -> None:
    peer.will(SUBMITTED, SUBMITTED, SUBMITTED)
    for key in (None, None, "order-17"):
        await by(kind, "submit", "acme/img", {}, idempotency_key=key, url=peer.url)
    keys = [one.header("idempotency-key") for one in peer.requests]
    assert (len(set(keys)), keys[2]) == (3, "order-17")


ANSWERS: list[tuple[Step, type[Exception], str]] = [
    (says(401, {"detail": "A valid API token is needed."}), faldeck.FalClientHTTPError, "A valid"),
    (
        says(422, {"detail": [{"loc": ["body", "input"], "msg": "wrong", "type": "x"}]}),
        faldeck.FalClientHTTPError,
        "^input: wrong$",
    ),
    (says(409, {"detail": "It runs.", "id": ID}), faldeck.DuplicateRequestError, "It runs."),
    (reply(302, location="https://x.example/"), faldeck.FalClientHTTPError, "https://x.example/"),
    (reply(200, b"<html>", "text/html"), faldeck.FalClientError, "check FALDECK_URL"),
    (reply(200, b'["a"]'), faldeck.FalClientError, "check FALDECK_URL"),
]


@both
@pytest.mark.parametrize(("answer", "error", "sentence"), ANSWERS)
async def test_a_refusal_is_an_error_that_says_why(
    kind: str, answer: Step, error: type[Exception], sentence: str, peer: Peer
) -> None:
    with pytest.raises(error, match=sentence) as raised:
        await by(kind, "submit", "acme/img", {}, url=peer.will(answer).url)
    assert type(raised.value) is error
    assert len(peer.requests) == 1
    if isinstance(raised.value, faldeck.DuplicateRequestError):
        assert raised.value.request_id == ID


@both
@pytest.mark.parametrize(
    ("name", "named"),
    [
        ("submit", {"webhook_url": "https://x.example"}),
        ("submit", {"priority": "high"}),
        ("submit", {"start_timeout": 1}),
        ("run", {"method": "GET"}),
        ("stream", {"path": "/other"}),
    ],
)
async def test_what_cannot_be_done_is_refused_before_anything_is_sent(
    kind: str, name: str, named: dict[str, Any], peer: Peer
) -> None:
    with pytest.raises((faldeck.FalClientError, ValueError)):
        await by(kind, name, "acme/img", {}, url=peer.url, **named)
    assert peer.requests == []


# --- Following ---------------------------------------------------------------------------------


@both
async def test_every_state_is_told_once_also_over_a_broken_stream(kind: str, peer: Peer) -> None:
    ended = row(logs=[], metrics={"inference_time": 2})
    peer.will(
        SUBMITTED,
        events(status(1, "pending"), status(2, "in_queue", queue_position=3), end=False),
        reset,
        events(
            status(3, "in_queue", queue_position=1), status(4, "in_progress"), log(5, "warm"),
            status(6, "in_progress"), b": still here\n\n", status(7, "completed"), event("end", 7, ended),
        ),
        says(200, row(output={"a": 1})),
    )  # fmt: skip
    seen: list[Status] = []
    ids: list[str] = []
    output = await by(
        kind, "subscribe", "acme/img", {}, with_logs=True, on_enqueue=ids.append,
        on_queue_update=seen.append, url=peer.url,
    )  # fmt: skip
    assert (output, ids) == ({"a": 1}, [ID])
    assert seen == [
        Queued(position=0),
        Queued(position=3),
        Queued(position=1),
        InProgress(logs=[]),
        InProgress(logs=[line("warm")]),
        Completed(logs=[line("warm")], metrics={"inference_time": 2}),
    ]
    resumed = [one.header("last-event-id") for one in peer.requests[1:4]]
    assert resumed == [None, "2-0-0", "2-0-0"]


@both
async def test_one_stream_too_many_is_asked_for_instead(
    kind: str, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faldeck.calls, "POLL_S", 0.01)
    too_many = says(429, {"detail": "A token may follow 20 requests at once."})
    running = says(200, row("in_progress", logs=[{"id": 1, **line("warm")}]))
    ended = says(200, row(output={"a": 1}))
    peer.will(SUBMITTED, too_many, running, ended, too_many, ended)
    seen: list[Status] = []
    named: Any = {"interval": 0.01, "on_queue_update": seen.append, "url": peer.url}
    assert await by(kind, "subscribe", "acme/img", {}, **named) == {"a": 1}
    assert seen == [InProgress(logs=None), Completed(logs=None, metrics={})]


# --- Outputs and failures ----------------------------------------------------------------------


@both
async def test_the_wait_goes_on_until_the_end_and_a_large_output_is_read_as_bytes(
    kind: str, peer: Peer
) -> None:
    large = reply(200, b'{"n": 12345678901234567890}')
    peer.will(says(200, row("in_queue")), reset, says(200, row()), large)
    output = await by(kind, "result", "acme/img", ID, url=peer.url)
    assert output == {"n": 12345678901234567890}
    assert [one.query.get("wait") for one in peer.requests] == ["60.0", "60.0", "60.0", None]
    assert peer.requests[3].path == f"/api/v1/requests/{ID}/output/"


@both
@pytest.mark.parametrize(
    ("ended", "error", "code", "message"),
    [
        (
            row("failed", error_code=422, error_type="bad", output={"detail": [{"msg": "x"}]}),
            faldeck.RequestFailedError, 422, [{"msg": "x"}],
        ),
        (row("failed", error="It is lost."), faldeck.RequestFailedError, 500, "It is lost."),
        (row("cancelled"), faldeck.RequestCancelledError, 499, "The request was cancelled."),
    ],
)  # fmt: skip
async def test_an_end_without_an_output_is_an_error_with_fals_words(
    kind: str, ended: dict[str, Any], error: type[Exception], code: int, message: Any, peer: Peer
) -> None:
    with pytest.raises(faldeck.RequestFailedError) as raised:
        await by(kind, "result", "acme/img", ID, url=peer.will(says(200, ended)).url)
    failure = raised.value
    assert type(failure) is error
    assert (failure.status_code, failure.message, failure.request_id) == (code, message, ID)
    assert failure.response.json()["detail"] == message


@both
async def test_a_token_that_is_revoked_while_a_call_waits_is_refused(kind: str, peer: Peer) -> None:
    peer.will(says(200, {"detail": "A valid API token is needed."}))
    with pytest.raises(faldeck.FalClientHTTPError, match="A valid API token") as raised:
        await by(kind, "result", "acme/img", ID, url=peer.url)
    assert raised.value.status_code == 401


@both
@pytest.mark.parametrize("follows", [False, True])
async def test_the_clients_own_limit_cancels_and_names_the_request(
    kind: str, peer: Peer, monkeypatch: pytest.MonkeyPatch, *, follows: bool
) -> None:
    now = [0.0]
    monkeypatch.setattr(faldeck.waits, "time", SimpleNamespace(monotonic=lambda: now[0]))

    async def much_later(writer: asyncio.StreamWriter) -> None:
        now[0] += 200
        writer.transport.abort()

    peer.will(SUBMITTED, much_later, says(200, {"answer": "asked", "request": row("pending")}))
    told = {"on_queue_update": print} if follows else {}
    with pytest.raises(faldeck.FalClientTimeoutError) as raised:
        await by(kind, "subscribe", "acme/img", {}, client_timeout=100, url=peer.url, **told)
    assert (raised.value.request_id, raised.value.timeout) == (ID, 100)
    assert peer.requests[-1].path == f"/api/v1/requests/{ID}/cancel/"
    assert json.loads(peer.requests[0].body)["start_timeout"] == 100


@both
async def test_a_cancel_that_comes_too_late_is_an_error_as_with_fal(kind: str, peer: Peer) -> None:
    answers = [says(200, {"answer": answer, "request": row()}) for answer in ("asked", "ended")]
    peer.will(*answers)
    assert await by(kind, "cancel", "acme/img", ID, url=peer.url) is None
    with pytest.raises(faldeck.FalClientHTTPError) as raised:
        await by(kind, "cancel", "acme/img", ID, url=peer.url)
    assert raised.value.status_code == 400


@both
async def test_a_stream_gives_its_events_and_then_how_it_failed(kind: str, peer: Peer) -> None:
    failed = row("failed", error="It broke.", error_code=500)
    given = [frame(1, '{"a": 1}'), frame(2, ""), frame(3, "{}", "control"), frame(4, '{"a": 2}')]
    peer.will(SUBMITTED, events(*given[:2], end=False), events(*given[2:], event("end", 5, row())))
    assert await by(kind, "stream", "acme/img", {}, url=peer.url) == [{"a": 1}, {"a": 2}]
    assert json.loads(peer.requests[0].body)["mode"] == "stream"
    assert peer.requests[2].header("last-event-id") == "2-0-0"
    peer.will(SUBMITTED, events(given[0], event("end", 2, failed)))
    with pytest.raises(faldeck.RequestFailedError, match="It broke"):
        await by(kind, "stream", "acme/img", {}, url=peer.url)


async def test_an_async_client_works_in_one_event_loop_after_another(peer: Peer) -> None:
    client = faldeck.AsyncClient("fdk_t", url=peer.url)

    async def ask() -> Status:
        async with client:
            return await client.status("acme/img", ID)

    peer.will(*[says(200, row("in_progress"))] * 2)
    for _ in range(2):
        assert await asyncio.to_thread(asyncio.run, ask()) == InProgress(logs=None)


@both
async def test_a_faldeck_that_is_away_is_named(
    kind: str, peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faldeck.calls, "MAX_DELAY_S", 0.01)
    peer.will(*[reset] * 10)
    with pytest.raises(faldeck.FalClientConnectionError, match="does not answer") as raised:
        await by(kind, "status", "acme/img", ID, url=peer.url)
    assert isinstance(raised.value.__cause__, httpx.TransportError)
