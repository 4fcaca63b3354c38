"""The record of a stream or session over the API: pages, filters, the download."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import AsyncClient
from django.utils import timezone

from requests_app import lifecycle
from requests_app.api import frames as frames_api
from requests_app.models import FalRequest, Frame, Status
from tests.api.conftest import BASE, Caller

pytestmark = pytest.mark.django_db(transaction=True)

ODD = 'a\u2028b\u0085c\n \U0001f600 "</script>'


def record(row: FalRequest, *frames: dict[str, Any]) -> None:
    """Frames numbered from 1; what is not said is an event."""
    usual = {"offset_ms": 1.5, "data": "x", "size": 1}
    Frame.objects.bulk_create(
        Frame(request=row, number=number, **usual | frame)
        for number, frame in enumerate(frames, start=1)
    )


def read(caller: Caller, row: FalRequest, query: str = "") -> Any:
    reply = caller.get(f"{row.public_id}/frames/?{query}")
    assert reply.status_code == 200, reply.content
    return reply.json()


async def download(caller: Caller, row: FalRequest, query: str = "") -> list[Any]:
    client = AsyncClient()
    path = f"{BASE}{row.public_id}/frames/?format=jsonl&{query}"
    reply: Any = await client.get(path, headers=caller.headers)
    assert reply.status_code == 200
    assert reply["Content-Type"] == "application/jsonl; charset=utf-8"
    assert f"{row.public_id}.jsonl" in reply["Content-Disposition"]
    text = b"".join([part async for part in reply.streaming_content]).decode()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


def numbers(items: list[Any]) -> list[int]:
    return [item["number"] for item in items]


def test_pages_follow_each_other_without_gap_or_repeat(owner: Caller) -> None:
    row = owner.make()
    record(row, *[{}] * 7)
    seen, after = [], 0
    while after is not None:
        page = read(owner, row, f"after={after}&limit=3")
        seen += numbers(page["items"])
        after = page["next_after"]
    assert seen == [1, 2, 3, 4, 5, 6, 7]


def test_a_page_ends_before_it_grows_too_large(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_api, "BYTES_AT_ONCE", 25)
    row = owner.make()
    record(row, {"size": 40}, {"size": 10}, {"size": 10}, {"size": 10})
    first = read(owner, row)
    assert (numbers(first["items"]), first["next_after"]) == ([1], 1)
    assert numbers(read(owner, row, "after=1")["items"]) == [2, 3]


def test_it_has_ended_only_with_the_last_frame_of_an_ended_request(owner: Caller) -> None:
    row = owner.make()
    record(row, {}, {})
    assert read(owner, row)["ended"] is False
    FalRequest.objects.filter(pk=row.pk).update(status=Status.COMPLETED, ended_at=timezone.now())
    assert read(owner, row, "limit=1")["ended"] is False
    assert read(owner, row, "after=1")["ended"] is True


def test_frames_are_chosen_by_direction_and_kind(owner: Caller) -> None:
    row = owner.make()
    record(
        row,
        {"direction": "out", "kind": "msgpack"},
        {"kind": "msgpack"},
        {"kind": "json"},
        {"kind": "control"},
    )
    assert numbers(read(owner, row, "direction=out")["items"]) == [1]
    assert numbers(read(owner, row, "kind=json&kind=control")["items"]) == [3, 4]
    assert numbers(read(owner, row, "direction=in&kind=msgpack")["items"]) == [2]
    [one] = read(owner, row, "direction=out")["items"]
    assert (one["direction"], one["kind"]) == ("out", "msgpack")


def test_the_bytes_of_a_message_come_when_they_are_asked_for(owner: Caller) -> None:
    row = owner.make()
    record(row, {"kind": "binary", "raw": b"\x00\xff"}, {"kind": "text"})
    assert [item["raw"] for item in read(owner, row)["items"]] == [None, None]
    shown = read(owner, row, "raw=true")["items"]
    assert [item["raw"] for item in shown] == [base64.b64encode(b"\x00\xff").decode(), None]


async def test_what_an_event_says_is_in_the_page_and_the_download(owner: Caller) -> None:
    row = await sync_to_async(owner.make)()
    await sync_to_async(record)(row, {"says": "output"}, {"says": "error"}, {"kind": "json"})
    page = await sync_to_async(read)(owner, row)
    for items in (page["items"], await download(owner, row)):
        assert [item["says"] for item in items] == ["output", "error", None]


async def test_the_pair_and_the_round_trip_are_in_the_page_and_the_download(owner: Caller) -> None:
    row = await sync_to_async(owner.make)()
    await sync_to_async(record)(row, {"direction": "out"}, {"pair": 1, "rtt_ms": 2.5})
    page = await sync_to_async(read)(owner, row)
    for items in (page["items"], await download(owner, row)):
        assert [(item["pair"], item["rtt_ms"]) for item in items] == [(None, None), (1, 2.5)]


def test_a_page_says_when_the_record_became_full(owner: Caller) -> None:
    row = owner.make()
    record(row, {}, {})
    assert read(owner, row)["record_full"] is None
    now, data = timezone.now(), {"frame": 2, "bytes": 2, "offset_ms": 7.5}
    lifecycle.note_record_full(row.pk, "The record became full.", now=now, data=data)
    told = read(owner, row, "after=1")["record_full"]
    assert (told["frame"], told["offset_ms"], told["note"]) == (2, 7.5, "The record became full.")
    assert told["at"][:16] == now.isoformat()[:16]
    assert told["count"] is None
    lifecycle.note_frame_count(row.pk, "There were 9 frames in all.", now=now, data={"count": 9})
    assert read(owner, row)["record_full"]["count"] == 9


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "after=99999999999999999999", "limit=0", "limit=1001", "kind=odd",
     "direction=up", "format=xml", "kinds=json"],
)  # fmt: skip
def test_a_wrong_parameter_is_named_not_passed_over(owner: Caller, query: str) -> None:
    reply = owner.get(f"{owner.make().public_id}/frames/?{query}")
    assert reply.status_code == 422
    name = query.partition("=")[0]
    assert reply.json()["detail"][0]["loc"][:2] == ["query", name]


async def test_a_limit_holds_for_the_download_too(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_api, "LOOK_AHEAD", 2)
    row = await sync_to_async(owner.make)()
    await sync_to_async(record)(row, *[{}] * 7)
    assert numbers(await download(owner, row, "limit=3")) == [1, 2, 3]
    assert numbers(await download(owner, row, "limit=4&after=2")) == [3, 4, 5, 6]
    assert numbers(await download(owner, row, "limit=9")) == [1, 2, 3, 4, 5, 6, 7]


async def test_the_download_has_every_frame_on_a_line_of_its_own(
    owner: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames_api, "LOOK_AHEAD", 2)
    row = await sync_to_async(owner.make)()
    await sync_to_async(record)(row, {"data": ODD}, *[{}] * 4, {"kind": "binary", "raw": b"\x01"})
    lines = await download(owner, row)
    assert numbers(lines) == [1, 2, 3, 4, 5, 6]
    assert lines[0]["data"] == ODD
    assert "raw" not in lines[5]
    with_bytes = await download(owner, row, "raw=true&kind=binary")
    assert [line["raw"] for line in with_bytes] == [base64.b64encode(b"\x01").decode()]


async def test_the_download_of_nothing_is_empty(owner: Caller) -> None:
    assert await download(owner, await sync_to_async(owner.make)()) == []


@pytest.mark.parametrize("form", ["json", "jsonl"])
def test_a_foreign_record_is_as_missing_as_one_that_never_was(
    owner: Caller, stranger: Caller, form: str
) -> None:
    row = owner.make()
    record(row, {"data": "secret"})
    foreign = stranger.get(f"{row.public_id}/frames/?format={form}")
    missing = stranger.get(f"00000000-0000-4000-8000-000000000000/frames/?format={form}")
    assert foreign.status_code == missing.status_code == 404
    assert foreign.content == missing.content


def test_a_viewer_may_read(teammate: Caller, owner: Caller) -> None:
    row = owner.make()
    record(row, {})
    assert numbers(read(teammate, row)["items"]) == [1]


def test_nobody_reads_without_a_token(owner: Caller, client: Any) -> None:
    assert client.get(f"{BASE}{owner.make().public_id}/frames/").status_code == 401
