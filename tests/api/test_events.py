from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler
from django.utils import timezone

from requests_app import announce
from requests_app.api import events
from requests_app.models import ApiToken, FalRequest, Frame, LogLine, Membership, Status
from requests_app.record import follow
from requests_app.record import followers as marks
from requests_app.record.followers import followers
from tests.api.conftest import BASE, Caller

pytestmark = pytest.mark.django_db(transaction=True)


def frame(row: FalRequest, number: int, data: str = "x") -> None:
    Frame.objects.create(request=row, number=number, offset_ms=1.5, data=data, size=len(data))
    announce.framed(row.pk, number)


def end(row: FalRequest) -> None:
    FalRequest.objects.filter(pk=row.pk).update(
        status=Status.COMPLETED, ended_at=timezone.now(), due_at=None
    )


async def read(response: Any) -> AsyncIterator[dict[str, Any]]:
    """A server-sent events parser of the test's own, after the standard."""
    buffer = ""
    async for chunk in response.streaming_content:
        buffer += chunk.decode()
        *blocks, buffer = buffer.split("\n\n")
        for block in blocks:
            fields = dict(line.split(": ", 1) for line in block.split("\n"))
            if "data" in fields:
                fields["data"] = json.loads(fields["data"])
            yield fields
    assert buffer == ""


async def read_all(response: Any) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        return [event async for event in read(response)]


async def test_a_followed_request_is_looked_at_at_the_quick_pace(
    owner: Caller, connect: Any
) -> None:
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    client = await connect(owner, row)
    await client.read()
    row = await FalRequest.objects.aget(pk=row.pk)
    assert row.watched_until is not None and row.watched_until > timezone.now()
    assert followers._counts == {row.pk: 1}
    await client.leave()
    assert not followers._counts


async def test_the_quick_pace_lasts_as_long_as_the_request_is_followed(
    owner: Caller, connect: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 0.05)
    monkeypatch.setattr(marks, "RENEW_S", 0.1)
    row = await sync_to_async(owner.make)(status=Status.IN_QUEUE)
    await (await connect(owner, row)).read()
    for _ in range(3):
        async with asyncio.timeout(30):
            while (await FalRequest.objects.aget(pk=row.pk)).watched_until is None:
                await asyncio.sleep(0.02)
        await FalRequest.objects.filter(pk=row.pk).aupdate(watched_until=None)


@pytest.mark.slow
async def test_the_past_comes_first_then_what_is_new_then_the_end(owner: Caller) -> None:
    row = await sync_to_async(owner.make)()
    await sync_to_async(frame)(row, 1, 'line\nbreak \u2028 "é"')
    response = await owner.follow(row)
    assert response["Content-Type"] == "text/event-stream"
    assert "no-store" in response["Cache-Control"]
    seen: list[tuple[str, Any]] = []
    async with asyncio.timeout(30):
        async for event in read(response):
            seen.append((event["event"], event["data"]))
            if len(seen) == 2:
                await sync_to_async(LogLine.objects.create)(request=row, message="warm", digest="1")
                await sync_to_async(frame)(row, 2)
            if len(seen) == 4:
                await sync_to_async(end)(row)
    names = [name for name, _ in seen]
    assert (names[:2], sorted(names[2:4]), names[4:]) == (
        ["status", "frame"], ["frame", "log"], ["end"],
    )  # fmt: skip
    assert seen[0][1]["kind"] == "created"
    assert seen[1][1]["data"] == 'line\nbreak \u2028 "é"'
    assert dict(seen[2:4])["log"]["message"] == "warm"
    assert (seen[4][1]["id"], seen[4][1]["status"]) == (str(row.public_id), "completed")


async def test_every_id_resumes_right_behind_its_event(owner: Caller) -> None:
    row = await sync_to_async(owner.make)()
    for n in range(1, 4):
        await sync_to_async(LogLine.objects.create)(request=row, message=str(n), digest=str(n))
        await sync_to_async(frame)(row, n)
    await sync_to_async(end)(row)
    whole = await read_all(await owner.follow(row))
    assert [event["event"] for event in whole] == ["status", *["log"] * 3, *["frame"] * 3, "end"]
    for at, event in enumerate(whole[:-1]):
        rest = await read_all(await owner.follow(row, **{"Last-Event-ID": event["id"]}))
        assert rest == whole[at + 1 :]
    after_end = await read_all(await owner.follow(row, **{"Last-Event-ID": whole[-1]["id"]}))
    assert after_end == whole[-1:]


@pytest.mark.parametrize("value", ["x", "1", "1-2", "1-2-3-4", "-1-0-0", "9" * 40 + "-0-0", "é"])
async def test_a_made_up_event_id_is_refused(owner: Caller, value: str) -> None:
    row = await sync_to_async(owner.make)()
    refused = await owner.follow(row, **{"Last-Event-ID": value})
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["header", "Last-Event-ID"]


@pytest.mark.parametrize("part", [0, 1, 2])
async def test_an_id_beyond_the_record_is_refused_and_does_not_jump_to_the_end(
    owner: Caller, part: int
) -> None:
    row = await sync_to_async(owner.make)()
    await sync_to_async(LogLine.objects.create)(request=row, message="1", digest="1")
    await sync_to_async(frame)(row, 1)
    await sync_to_async(end)(row)
    last = (await read_all(await owner.follow(row)))[-1]["id"]
    assert (await owner.follow(row, **{"Last-Event-ID": last})).status_code == 200
    numbers = [int(number) for number in last.split("-")]
    numbers[part] += 1
    beyond = "-".join(map(str, numbers))
    refused = await owner.follow(row, **{"Last-Event-ID": beyond})
    assert refused.status_code == 422
    assert "beyond" in refused.json()["detail"][0]["msg"]


async def test_who_had_frames_that_are_not_on_disk_yet_or_no_longer_may_go_on(
    owner: Caller,
) -> None:
    row = await sync_to_async(owner.make)()
    seen = await row.observations.alast()
    assert seen is not None
    ahead = {"Last-Event-ID": f"{seen.pk}-0-7"}
    assert (await owner.follow(row, **ahead)).status_code == 200  # live: the disk is behind
    await sync_to_async(end)(row)
    assert (await owner.follow(row, **ahead)).status_code == 200  # removed meanwhile


@pytest.mark.slow
async def test_a_quiet_stream_is_kept_alive_by_comments(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 0.05)
    monkeypatch.setattr(events, "KEEP_ALIVE_S", 0.2)
    row = await sync_to_async(owner.make)()
    stream = (await owner.follow(row)).streaming_content
    async with asyncio.timeout(30):
        assert b"event: status" in await anext(stream)
        assert await anext(stream) == b": still here\n\n"
        assert await anext(stream) == b": still here\n\n"
    await stream.aclose()


@pytest.mark.parametrize("loss", ["token", "membership"])
async def test_who_loses_access_stops_hearing(
    owner: Caller, monkeypatch: pytest.MonkeyPatch, loss: str
) -> None:
    monkeypatch.setattr(follow, "POLL_S", 0.05)
    monkeypatch.setattr(events, "RECHECK_S", 0.1)
    row = await sync_to_async(owner.make)()
    stream = (await owner.follow(row)).streaming_content
    await anext(stream)
    if loss == "token":
        await ApiToken.objects.aupdate(revoked_at=timezone.now())
    else:
        await Membership.objects.all().adelete()
    await asyncio.sleep(0.15)
    await sync_to_async(frame)(row, 1, "secret")
    async with asyncio.timeout(30):
        assert b"secret" not in b"".join([part async for part in stream])


@pytest.fixture
async def connect(owner: Caller) -> AsyncIterator[Callable[..., Awaitable[Connection]]]:
    made: list[Connection] = []

    async def connect(caller: Caller, row: FalRequest) -> Connection:
        made.append(await Connection.open(caller, row))
        return made[-1]

    yield connect
    for connection in made:
        await connection.leave()


@dataclass
class Connection:
    """A client of Django's real ASGI handler, which sees it leave."""

    asgi: ApplicationCommunicator
    status: int

    @classmethod
    async def open(cls, caller: Caller, row: FalRequest) -> Connection:
        asgi = ApplicationCommunicator(
            ASGIHandler(),
            {
                "type": "http",
                "method": "GET",
                "path": f"{BASE}{row.public_id}/events/",
                "query_string": b"",
                "server": ("localhost", 80),
                "headers": [
                    (b"host", b"localhost"),
                    (b"authorization", caller.headers["Authorization"].encode()),
                ],
            },
        )
        await asgi.send_input({"type": "http.request", "body": b""})
        return cls(asgi, (await asgi.receive_output(timeout=30))["status"])

    async def read(self) -> bytes:
        return (await self.asgi.receive_output(timeout=30))["body"]

    async def leave(self) -> None:
        if not self.asgi.future.done():
            await self.asgi.send_input({"type": "http.disconnect"})
            await self.asgi.wait(timeout=30)


async def test_a_token_follows_a_bounded_number_at_once(
    owner: Caller, stranger: Caller, monkeypatch: pytest.MonkeyPatch, connect: Any
) -> None:
    monkeypatch.setattr(events, "MAX_STREAMS", 3)
    row, other = await sync_to_async(owner.make)(), await sync_to_async(stranger.make)()
    first, second, _third = [await connect(owner, row) for _ in range(3)]
    assert b"event: status" in await first.read()
    assert (await connect(owner, row)).status == 429
    assert (await connect(stranger, other)).status == 200
    await first.leave()  # in the middle of waiting
    await second.leave()  # before it has read anything
    assert [(await connect(owner, row)).status for _ in range(3)] == [200, 200, 429]


async def test_a_client_that_leaves_ends_its_tail(
    owner: Caller, connect: Any, in_memory_layer: Any
) -> None:
    row = await sync_to_async(owner.make)()
    layer = in_memory_layer
    group = announce.group_of_request(row.pk)
    client = await connect(owner, row)
    await client.read()
    async with asyncio.timeout(30):
        while group not in layer.groups:
            await asyncio.sleep(0.01)
    await client.leave()
    assert group not in layer.groups


async def test_a_burst_of_clients_does_not_get_over_the_bound(
    owner: Caller, monkeypatch: pytest.MonkeyPatch, connect: Any
) -> None:
    monkeypatch.setattr(events, "MAX_STREAMS", 3)
    row = await sync_to_async(owner.make)()
    clients = await asyncio.gather(*(connect(owner, row) for _ in range(8)))
    assert sorted(client.status for client in clients) == [200] * 3 + [429] * 5
