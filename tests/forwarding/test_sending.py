"""What a receiver gets, judged by the package that receivers use, and what it can do to a message."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from requests_app.forwarding import sending
from requests_app.forwarding.outbox import LONGEST_PAUSE_S, TakenForward
from requests_app.forwarding.sending import MOST_ANSWER, send
from requests_app.forwarding.signing import new_secret, signed_headers
from requests_app.models import ForwardEvent
from tests.fal.peer import Peer, hang, reply, reset
from tests.source import text_of
from tests.tools import NODE

OLD, NEW = new_secret(), new_secret()
BODY = '{"type": "request.failed", "data": {"error": "Größe"}}'.encode()


@pytest.fixture
async def peer(settings: Any) -> AsyncIterator[Peer]:
    """A receiver that the operator has named, which answers as the test tells it."""
    settings.FORWARD_HOSTS = ["127.0.0.1"]
    peer = Peer()
    await peer.start()
    yield peer
    await peer.stop()


def taken(peer: Peer, **changes: Any) -> TakenForward:
    message = TakenForward(
        1, 1, uuid4(), f"{peer.url}/hooks?a=1", [NEW], "msg_7", ForwardEvent.FAILED, BODY,
        {"content-type": "application/json"},
    )  # fmt: skip
    return replace(message, **changes)


async def test_a_receiver_verifies_it_with_the_standards_own_package(peer: Peer) -> None:
    peer.will(reply(202, b"thanks"))
    answer = await send(taken(peer))
    assert (answer.status, answer.answer, answer.is_ok) == (202, "thanks", True)
    [got] = peer.requests
    assert (got.method, got.target, got.body) == ("POST", "/hooks?a=1", BODY)
    headers = dict(got.headers)
    assert Webhook(NEW).verify(got.body, headers) == json.loads(BODY)
    assert headers["faldeck-event"] == "request.failed"
    assert not set(headers) & {"authorization", "cookie", "referer"}
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(got.body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(OLD).verify(got.body, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(NEW).verify(got.body, headers | {"webhook-id": "msg_8"})


def test_the_snippets_of_the_documentation_verify_it_and_refuse_a_forged_one(
    tmp_path: Path,
) -> None:
    text = text_of("docs/forwarding.md")
    headers = signed_headers([NEW, OLD], "msg_7", int(time.time()), BODY)
    scope: dict[str, Any] = {"SECRET": OLD}
    exec(re.findall(r"```python\n(.*?)```", text, re.S)[0], scope)
    assert scope["receive"](headers, BODY) == json.loads(BODY)
    module = tmp_path / "verify.mjs"
    calls = [(OLD, BODY), (new_secret(), BODY), (OLD, BODY + b" ")]
    asked = json.dumps([[secret, headers, body.decode()] for secret, body in calls])
    told = f"const one = ([s, h, b]) => verify(s, h, Buffer.from(b)); console.log({asked}.map(one).join());"
    module.write_text(re.findall(r"```js\n(.*?)```", text, re.S)[0] + told)
    ran = subprocess.run([NODE, module], capture_output=True, text=True, timeout=60, check=True)
    assert ran.stdout.strip() == "true,false,false"


async def test_while_two_secrets_are_valid_either_verifies_it(peer: Peer) -> None:
    peer.will(reply(200))
    await send(taken(peer, secrets=[NEW, OLD]))
    [got] = peer.requests
    for secret in (NEW, OLD):
        Webhook(secret).verify(got.body, dict(got.headers))


async def test_a_delivery_keeps_its_bytes_and_fals_own_headers(peer: Peer) -> None:
    peer.will(reply(200))
    told = {"x-fal-webhook-signature": "ab", "content-type": "application/json; charset=utf-8"}
    await send(taken(peer, body=b'{"status":  "OK"}', headers=told, event=ForwardEvent.DELIVERY))
    [got] = peer.requests
    assert got.body == b'{"status":  "OK"}'
    assert dict(got.headers).items() >= told.items()
    Webhook(NEW).verify(got.body, dict(got.headers))


@pytest.mark.slow
async def test_every_answer_but_2xx_is_a_failed_attempt_with_its_reason(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DEADLINE_S", 1.0)
    peer.will(
        reply(302, location=peer.url), reply(410), reply(503, b"later", retry_after="30"),
        reply(429, retry_after="99999999"), reply(500, b"\x00\xff" * 5000), reset, hang,
    )  # fmt: skip
    answers = [await send(taken(peer)) for _ in range(7)]
    assert [answer.status for answer in answers] == [302, 410, 503, 429, 500, None, None]
    assert not any(answer.is_ok for answer in answers)
    assert [answer.retry_after_s for answer in answers[2:4]] == [30.0, LONGEST_PAUSE_S]
    assert len(answers[4].answer) <= MOST_ANSWER and "\0" not in answers[4].answer
    assert all(answer.words.startswith("The host did not answer") for answer in answers[5:])
    assert len(peer.requests) == 7  # no redirect was followed


async def test_private_addresses_are_never_called_unless_the_operator_names_the_host(
    peer: Peer, settings: Any
) -> None:
    settings.FORWARD_HOSTS = []
    port = peer.url.rpartition(":")[2]
    for url in (
        f"https://127.0.0.1:{port}/", f"https://localhost:{port}/", f"https://[::ffff:127.0.0.1]:{port}/",
        f"http://127.0.0.1:{port}/s3cret", "https://169.254.169.254/latest/", "https://10.0.0.1/",
    ):  # fmt: skip
        answer = await send(taken(peer, url=url))
        assert answer.status is None and answer.words, url
        assert "s3cret" not in answer.words
    assert peer.connections == 0
