"""What the host of a webhook, or one that is none, can do to a message."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from requests_app.notices import webhook
from requests_app.notices.answers import NoticeMessage, TryResult
from requests_app.notices.webhook import send_webhook
from tests.fal.peer import Peer, Step, hang, reply, reset
from tests.ports import free_port

MESSAGE = NoticeMessage("title", "text", "", {"id": 7, "title": "title"})


@pytest.fixture
async def peer(settings: Any) -> AsyncIterator[Peer]:
    """A host that the operator has named, which answers as the test tells it."""
    settings.NOTICE_HOSTS = ["127.0.0.1"]
    peer = Peer()
    await peer.start()
    yield peer
    await peer.stop()


async def test_a_message_is_one_post_with_json_and_no_secret_of_ours(peer: Peer) -> None:
    peer.will(reply(202, b"thanks"))
    answer = await send_webhook(f"{peer.url}/hook", MESSAGE)
    assert (answer.result, answer.words) == (TryResult.SENT, "HTTP 202: thanks")
    [got] = peer.requests
    assert (got.method, got.path) == ("POST", "/hook")
    assert json.loads(got.body) == {"id": 7, "title": "title"}
    assert not {name for name, _ in got.headers} & {"authorization", "cookie", "referer"}


@pytest.mark.parametrize(
    ("step", "result"),
    [
        (reply(301, location="http://127.0.0.1/"), TryResult.REFUSED),
        (reply(404, b"no"), TryResult.REFUSED),
        (reply(429), TryResult.NOT_SENT),
        (reply(503), TryResult.NOT_SENT),
        (reset, TryResult.UNKNOWN),
        (hang, TryResult.UNKNOWN),
    ],
)
async def test_each_answer_says_whether_another_try_makes_sense(
    peer: Peer, step: Step, result: TryResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook, "DEADLINE_S", 1.0)
    peer.will(step)
    assert (await send_webhook(f"{peer.url}/hook", MESSAGE)).result == result
    assert len(peer.requests) == 1


async def test_private_addresses_and_plain_http_are_never_called_unless_named(
    peer: Peer, settings: Any
) -> None:
    port = peer.url.rpartition(":")[2]
    settings.NOTICE_HOSTS = []
    for address in (
        f"https://127.0.0.1:{port}/", f"https://localhost:{port}/", f"https://[::1]:{port}/",
        f"https://[::ffff:127.0.0.1]:{port}/", "https://169.254.169.254/latest/", "https://10.0.0.1/",
        "https://0x7f000001/", f"http://127.0.0.1:{port}/", "http://example.org/",
    ):  # fmt: skip
        answer = await send_webhook(address, MESSAGE)
        assert answer.result == TryResult.REFUSED, address
        assert address not in answer.words
    assert peer.connections == 0


async def test_a_host_that_does_not_listen_may_be_tried_again(settings: Any) -> None:
    settings.NOTICE_HOSTS = ["127.0.0.1"]
    answer = await send_webhook(f"http://127.0.0.1:{free_port()}/s3cret", MESSAGE)
    assert answer.result == TryResult.NOT_SENT
    assert "s3cret" not in answer.words
