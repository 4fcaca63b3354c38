"""A session against a server that speaks fal's protocol, with a token; teammates watch it live."""

from __future__ import annotations

import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.test import Client

from requests_app.fal import realtime
from requests_app.models import FalRequest
from requests_app.worker.loop import worker_loop
from tests.consumers.conftest import Open
from tests.consumers.sessions import CONNECT, frames, opened, send

pytestmark = pytest.mark.django_db(transaction=True)
ECHO = {"endpoint": "sandbox/echo", "auth": "token"}


@pytest.fixture(autouse=True)
def _stopped() -> Any:
    yield
    worker_loop.stop(1)


async def test_each_session_and_each_reconnect_fetches_a_fresh_token(
    page: Open, as_owner: Client, at_sandbox: Any, monkeypatch: Any
) -> None:
    tokens, fetch = [], realtime.fetch_token

    async def kept(*args: Any, **options: Any) -> Any:
        tokens.append(await fetch(*args, **options))
        return tokens[-1]

    monkeypatch.setattr(realtime, "fetch_token", kept)
    for number in (1, 2):
        socket = await opened(page, as_owner, **ECHO)
        await send(socket, {"message": "hello", "number": number})
        _, answer = await frames(socket, 2)
        assert json.loads(answer["data"])["doubled"] == 2 * number
        await socket.send_json_to({"type": "disconnect"})
        await socket.message("ended")
    assert len({token.value for token in tokens}) == 2
    told = [str(row) async for row in FalRequest.objects.values_list("options", "error")]
    assert not [text for text in told for token in tokens if token.value in text]


async def test_a_teammate_watches_the_session_past_first_and_read_only(
    page: Open, as_owner: Client, teammate: User, at_sandbox: Any
) -> None:
    socket = await opened(page, as_owner, **ECHO)
    await send(socket, {"message": "before"})
    await frames(socket, 2)
    watching = Client()
    await sync_to_async(watching.force_login)(teammate)
    row = await FalRequest.objects.aget()
    live = await page(watching)
    await live.send_json_to({"type": "watch", "request": str(row.public_id)})
    assert [f["number"] for f in await frames(live, 2)] == [1, 2]
    await send(socket, {"message": "after"})
    assert [f["number"] for f in await frames(live, 2)] == [3, 4]
    await live.send_json_to({"type": "send", "value": {"message": "mine"}})
    assert (await live.message("error"))["code"] == 400


async def test_a_models_error_ends_the_session_with_its_words(
    page: Open, as_owner: Client, at_sandbox: Any
) -> None:
    socket = await opened(page, as_owner, **ECHO)
    await send(socket, {"error": "out of memory"})
    end = await socket.message("ended")
    assert (end["kind"], end["status"]) == ("error", "failed")
    assert "out of memory" in end["sentence"]


async def test_a_wrong_key_is_refused_when_the_token_is_fetched(
    page: Open, as_owner: Client, at_sandbox: Any, settings: Any
) -> None:
    settings.FAL_KEY = "not:valid"
    socket = await page(as_owner, "/ws/realtime/")
    await socket.send_json_to(CONNECT | ECHO)
    end = await socket.message("ended")
    assert (end["kind"], end["status"]) == ("refused", "failed")
