from __future__ import annotations

import asyncio
import json
import logging

import pytest

from requests_app.fal import EndpointId, FalClient, NotSent, Refused, Token, Unanswered, fetch_token
from requests_app.fal.realtime_token import read_token
from requests_app.fal.replies import Reply

from .conftest import KEY, QUICK, hosts_at
from .peer import Peer, hang, html, reset, says

VALUE = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.s3cr3t_-"


async def test_the_old_form_names_the_alias_alone(
    peer: Peer, fal: FalClient, endpoint: EndpointId
) -> None:
    peer.will(says(201, VALUE))
    before = asyncio.get_running_loop().time()
    token = await fetch_token(fal, endpoint)
    assert token.value == VALUE
    assert before + 120 <= token.expires_at <= asyncio.get_running_loop().time() + 120
    [request] = peer.requests
    assert (request.method, request.target) == ("POST", "/rest/tokens/")
    assert json.loads(request.body) == {"allowed_apps": ["flux"], "token_expiration": 120}
    assert request.header("authorization") == f"Key {KEY}"
    assert request.header("content-type") == "application/json"


@pytest.mark.parametrize(
    ("path", "app"), [("/realtime", "fal-ai/flux/dev/realtime"), ("/dev", "fal-ai/flux/dev")]
)
async def test_the_new_form_names_the_whole_path(
    peer: Peer, fal: FalClient, endpoint: EndpointId, path: str, app: str
) -> None:
    peer.will(says(200, {"token": VALUE}))
    token = await fetch_token(fal, endpoint, path=path, duration_s=60, form="new")
    assert token.value == VALUE
    assert peer.requests[0].target == "/rest/tokens/realtime"
    assert json.loads(peer.requests[0].body) == {"allowed_apps": [app], "duration": 60}


@pytest.mark.parametrize("body", [VALUE, {"token": VALUE}, {"detail": VALUE}])
def test_every_shape_of_the_reply_is_read(body: object) -> None:
    assert read_token(Reply(200, {}, json.dumps(body).encode())) == VALUE


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b'""', b"{}", b"[]", b'{"token": 5}', b"not json", b'"a b"', b'"a\\r\\nb"',
     b'"a&b=c"', b'"' + b"x" * 8193 + b'"'],
)  # fmt: skip
def test_a_reply_without_a_usable_token_is_unanswered_and_not_kept(body: bytes) -> None:
    with pytest.raises(Unanswered, match="usable token") as caught:
        read_token(Reply(200, {}, body))
    assert (caught.value.body, caught.value.retryable) == (b"", True)


@pytest.mark.parametrize("status", [401, 429])
async def test_a_no_is_refused(
    peer: Peer, fal: FalClient, endpoint: EndpointId, status: int
) -> None:
    peer.will(says(status, {"detail": "no token for you"}))
    with pytest.raises(Refused, match="no token for you") as caught:
        await fetch_token(fal, endpoint)
    assert caught.value.status_code == status


@pytest.mark.parametrize("step", [html(502), reset, hang])
async def test_a_broken_answer_is_unanswered_and_asked_for_once(
    peer: Peer, endpoint: EndpointId, step: object
) -> None:
    peer.will(step)  # type: ignore[arg-type]
    async with FalClient(hosts_at(peer.url), KEY, timeouts=QUICK) as fal:
        with pytest.raises(Unanswered):
            await fetch_token(fal, endpoint)
    assert len(peer.requests) == 1


async def test_a_dead_host_is_not_sent(endpoint: EndpointId) -> None:
    async with FalClient(hosts_at("http://127.0.0.1:9"), KEY, timeouts=QUICK) as fal:
        with pytest.raises(NotSent):
            await fetch_token(fal, endpoint)


@pytest.mark.parametrize("duration_s", [0, -1, 3601])
async def test_a_life_out_of_range_is_told_before_anything_is_sent(
    peer: Peer, fal: FalClient, endpoint: EndpointId, duration_s: int
) -> None:
    with pytest.raises(ValueError, match="1 to 3600"):
        await fetch_token(fal, endpoint, duration_s=duration_s)
    assert peer.requests == []


async def test_the_token_shows_in_no_repr_and_no_log(
    peer: Peer, fal: FalClient, endpoint: EndpointId, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    peer.will(says(200, VALUE))
    token = await fetch_token(fal, endpoint)
    assert VALUE not in repr(token)
    assert VALUE not in str(Token(VALUE, 1.0))
    assert VALUE not in caplog.text
