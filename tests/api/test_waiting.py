"""Calls that wait for the end of a request: a blocking submit and a long poll."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from requests_app import announce
from requests_app.api import waiting
from requests_app.models import ApiToken, FalRequest, Status
from requests_app.record import follow
from requests_app.record.followers import followers
from tests.api.conftest import BASE, Caller

pytestmark = pytest.mark.django_db(transaction=True)

BODY = {"endpoint_id": "acme/one", "input": {"prompt": "a lighthouse"}}


def end(row: FalRequest, output: bytes = b'{"text": "done", "seed": 9007199254740993}') -> None:
    FalRequest.objects.filter(pk=row.pk).update(
        status=Status.COMPLETED, ended_at=timezone.now(), due_at=None, output=output,
        output_size=len(output), output_type="application/json",
    )  # fmt: skip
    row.seq += 1
    announce.changed(row)


async def get(caller: Caller, row: FalRequest, query: str = "", **headers: str) -> Any:
    path = f"{BASE}{row.public_id}/{query}"
    return await AsyncClient().get(path, headers=caller.headers | headers)


async def post(caller: Caller, query: str = "", **headers: str) -> Any:
    return await AsyncClient().post(
        f"{BASE}{query}", json.dumps(BODY), content_type="application/json",
        headers=caller.headers | headers,
    )  # fmt: skip


def held(reply: Any) -> asyncio.Task[bytes]:
    """The body of a reply that waits, when it comes."""

    async def read() -> bytes:
        async with asyncio.timeout(30):
            return b"".join([chunk async for chunk in reply.streaming_content])

    return asyncio.create_task(read())


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("by", ["query", "header"])
async def test_a_submit_that_waits_is_answered_with_the_output(owner: Caller, by: str) -> None:
    query, headers = ("?wait=30", {}) if by == "query" else ("", {"Prefer": "wait=30"})
    reply = await post(owner, query, **headers)
    assert (reply.status_code, reply["Content-Type"]) == (201, "application/json; charset=utf-8")
    body = held(reply)
    await until(lambda: followers._counts)
    row = await FalRequest.objects.aget()
    await sync_to_async(end)(row)
    text = (await body).decode()
    shown = json.loads(text)
    assert (shown["id"], shown["status"]) == (str(row.public_id), "completed")
    assert '"output": {"text": "done", "seed": 9007199254740993}' in text
    assert not followers._counts


async def test_a_read_that_waits_hears_of_the_end_without_a_poll(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 1000.0)
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    body = held(await get(owner, row, "?wait=60"))
    await until(lambda: followers._counts)
    await asyncio.sleep(0.2)
    await sync_to_async(end)(row)
    assert json.loads(await body)["status"] == "completed"


async def test_an_end_that_no_message_tells_of_is_found_by_the_poll(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 0.05)
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    body = held(await get(owner, row, "?wait=60"))
    await until(lambda: followers._counts)
    await FalRequest.objects.filter(pk=row.pk).aupdate(status="failed", ended_at=timezone.now())
    assert json.loads(await body)["status"] == "failed"


async def test_after_the_seconds_the_reply_tells_how_it_stands(owner: Caller) -> None:
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    shown = json.loads(await held(await get(owner, row, "?wait=0.1")))
    assert (shown["status"], shown["ended_at"]) == ("in_queue", None)
    assert not followers._counts


async def test_without_a_wait_the_reply_comes_at_once_and_short(owner: Caller) -> None:
    reply = await post(owner)
    assert reply.status_code == 201
    assert "output" not in reply.json()


@pytest.mark.parametrize("wait", ["-1", "61", "1e9", "nan", "inf", "soon", ""])
async def test_a_wait_out_of_range_is_refused_and_nothing_is_submitted(
    owner: Caller, wait: str
) -> None:
    reply = await post(owner, f"?wait={wait}")
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"] == ["query", "wait"]
    assert not await FalRequest.objects.aexists()


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0), ("", 0), ("respond-async", 0), ("wait=10", 10), ("respond-async, wait=10", 10),
        ("WAIT = 7; x", 7), ('wait="5"', 5), ("wait=900", 60), ("wait=-1", 0), ("wait=x", 0), ("await=9", 0),
    ],
)  # fmt: skip
def test_of_a_preference_what_can_be_granted_counts(prefer: str | None, seconds: float) -> None:
    assert waiting.seconds_of(waiting.Waiting(), prefer) == seconds


async def test_a_strangers_request_is_not_waited_for(owner: Caller, stranger: Caller) -> None:
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    assert (await get(stranger, row, "?wait=60")).status_code == 404


async def test_a_token_revoked_meanwhile_gets_nothing(owner: Caller) -> None:
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    body = held(await get(owner, row, "?wait=60"))
    await until(lambda: followers._counts)
    await ApiToken.objects.all().adelete()
    await sync_to_async(end)(row)
    assert json.loads(await body) == {"detail": "A valid API token is needed."}


async def test_calls_that_wait_are_bounded_and_nothing_is_submitted_beyond(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "MAX_WAITS", 1)
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    body = held(await get(owner, row, "?wait=60"))
    await until(lambda: followers._counts)
    assert (await post(owner, "?wait=60")).status_code == 429
    assert await FalRequest.objects.acount() == 1
    await sync_to_async(end)(row)
    await body
