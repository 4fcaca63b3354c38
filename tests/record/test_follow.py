from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from requests_app import announce, lifecycle
from requests_app.models import FalRequest, Frame, LogLine, Observation, Source, Status, Team
from requests_app.record import follow as follow_module
from requests_app.record import storage
from requests_app.record.follow import Place, Portion, follow
from requests_app.record.frame import NewFrame
from requests_app.rules.transitions import CallEnded
from tests.builders import make_person, make_request

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row(transactional_db: None) -> FalRequest:
    team = Team.objects.create(name="Lighthouse")
    return make_request(team=team, person=make_person("olive", team=team), mode="stream")


@pytest.fixture
def never_polls(monkeypatch: pytest.MonkeyPatch, in_memory_layer: Any) -> None:
    """Wake-ups alone: only the layer that loses none can do that."""
    monkeypatch.setattr(follow_module, "POLL_S", 60.0)


def add_frames(row: FalRequest, *numbers: int, size: int = 1) -> None:
    Frame.objects.bulk_create(
        Frame(request=row, number=n, offset_ms=n, data=str(n), size=size) for n in numbers
    )
    announce.framed(row.pk, numbers[-1])


def end(row: FalRequest) -> None:
    lifecycle.observe(
        row.pk,
        CallEnded(Status.COMPLETED, "", "done"),
        source=Source.STREAM,
        asked_at=timezone.now(),
    )


def end_quietly(row: FalRequest) -> None:
    FalRequest.objects.filter(pk=row.pk).update(
        status=Status.COMPLETED, ended_at=timezone.now(), due_at=None
    )


async def to_the_end(row: FalRequest, **after: int) -> list[Portion]:
    async with asyncio.timeout(30):
        return [batch async for batch in follow(row.pk, **after)]


async def next_full(batches: AsyncIterator[Portion]) -> Portion:
    async with asyncio.timeout(30):
        async for batch in batches:
            if not batch.is_empty:
                return batch
    raise AssertionError("the tail ended")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


def numbers(batches: list[Portion]) -> list[int]:
    return [frame.number for batch in batches for frame in batch.frames]


async def test_the_past_of_an_ended_request_comes_at_once_and_ends(
    row: FalRequest, never_polls: None
) -> None:
    await sync_to_async(add_frames)(row, 1, 2, 3)
    await sync_to_async(LogLine.objects.create)(request=row, message="hello", digest="1")
    await sync_to_async(end_quietly)(row)
    [batch] = await to_the_end(row)
    assert batch.ended
    assert [line.message for line in batch.log_lines] == ["hello"]
    assert [o.kind for o in batch.observations] == ["created"]
    assert numbers([batch]) == [1, 2, 3]


async def test_what_happens_later_wakes_the_reader(row: FalRequest, never_polls: None) -> None:
    async with aclosing(follow(row.pk)) as batches:
        await next_full(batches)
        await sync_to_async(add_frames)(row, 1, 2)
        assert numbers([await next_full(batches)]) == [1, 2]
        await sync_to_async(lifecycle.note_opened)(row.pk, None, now=timezone.now())


async def test_it_takes_up_after_the_readers_place(row: FalRequest) -> None:
    await sync_to_async(add_frames)(row, *range(1, 11))
    lines = [
        await sync_to_async(LogLine.objects.create)(request=row, message=str(n), digest=str(n))
        for n in range(3)
    ]
    await sync_to_async(end_quietly)(row)
    seq = (await sync_to_async(Observation.objects.get)()).pk
    [batch] = await to_the_end(row, after_seq=seq, after_log=lines[1].pk, after_frame=7)
    assert numbers([batch]) == [8, 9, 10]
    assert [line.message for line in batch.log_lines] == ["2"]
    assert batch.observations == []


@pytest.mark.parametrize("size", [1, storage.PAGE_BYTES // 2, storage.PAGE_BYTES * 2])
async def test_a_long_past_comes_in_order_without_gap_or_repeat(row: FalRequest, size: int) -> None:
    count = storage.PAGE + 2 if size == 1 else 7
    await sync_to_async(add_frames)(row, *range(1, count + 1), size=size)
    await sync_to_async(end_quietly)(row)
    batches = await to_the_end(row)
    assert numbers(batches) == list(range(1, count + 1))
    assert [batch.ended for batch in batches] == [False] * (len(batches) - 1) + [True]


async def test_what_one_reader_has_read_from_the_record_the_others_do_not_read_again(
    row: FalRequest, never_polls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    def read(pk: int, after: int) -> list[NewFrame]:
        reads.append(after)
        return read_page(pk, after)

    read_page = storage.read
    monkeypatch.setattr(storage, "read", read)
    await sync_to_async(add_frames)(row, *range(1, 11))
    async with aclosing(follow(row.pk)) as one, aclosing(follow(row.pk, after_frame=4)) as other:
        assert numbers([await next_full(one)]) == list(range(1, 11))
        assert numbers([await next_full(other)]) == list(range(5, 11))
        await sync_to_async(add_frames)(row, 11)
        assert numbers([await next_full(one), await next_full(other)]) == [11, 11]
    assert reads == [0, 10]


async def test_word_of_frames_costs_no_look_at_anything_else(
    row: FalRequest, never_polls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []

    def counted(pk: int, place: Place) -> object:
        looks.append(place.frame)
        return look(pk, place)

    look = follow_module._look
    monkeypatch.setattr(follow_module, "_look", counted)
    async with aclosing(follow(row.pk)) as batches:
        for number in range(1, 6):
            await sync_to_async(add_frames)(row, number)
            while numbers([await next_full(batches)]) != [number]:
                pass
    assert len(looks) <= 2  # the past, and once more after joining


@pytest.mark.slow
async def test_frames_that_are_announced_and_kept_no_longer_are_asked_for_once(
    row: FalRequest, never_polls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []
    monkeypatch.setattr(storage, "read", lambda pk, after: reads.append(after) or [])
    async with aclosing(follow(row.pk)) as batches:
        await next_full(batches)
        await asyncio.sleep(0.1)
        await sync_to_async(announce.framed)(row.pk, 5)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.5):
                await anext(batches)
    assert reads == [0]


@pytest.mark.slow
async def test_twenty_readers_and_a_writer_agree(row: FalRequest, never_polls: None) -> None:
    async def write() -> None:
        for first in range(1, 300, 10):
            await sync_to_async(add_frames)(row, *range(first, first + 10))
        await sync_to_async(end)(row)

    readers = [asyncio.create_task(to_the_end(row, after_frame=n * 10)) for n in range(20)]
    await write()
    for n, batches in enumerate(await asyncio.gather(*readers)):
        assert numbers(batches) == list(range(n * 10 + 1, 301))
        assert batches[-1].ended


async def test_what_is_announced_while_it_joins_is_not_missed(
    row: FalRequest, never_polls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer: Any = get_channel_layer()
    may_join = asyncio.Event()
    join = layer.group_add

    async def slow_join(group: str, channel: str) -> None:
        await may_join.wait()
        await join(group, channel)

    monkeypatch.setattr(layer, "group_add", slow_join)
    async with aclosing(follow(row.pk)) as batches:
        await next_full(batches)
        await sync_to_async(add_frames)(row, 1)  # nobody hears it
        may_join.set()
        assert numbers([await next_full(batches)]) == [1]


async def test_a_layer_that_loses_a_cancellation_holds_up_no_end(
    row: FalRequest, never_polls: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    layer: Any = get_channel_layer()
    join = layer.group_add

    async def join_all_the_same(group: str, channel: str) -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await join(group, channel)

    monkeypatch.setattr(layer, "group_add", join_all_the_same)
    await sync_to_async(end_quietly)(row)
    assert [batch.ended for batch in await to_the_end(row)] == [True]
    assert announce.group_of_request(row.pk) not in layer.groups


@pytest.mark.slow
async def test_it_rests_while_nothing_happens(row: FalRequest, never_polls: None) -> None:
    looks = 0
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1), aclosing(follow(row.pk)) as batches:
            async for _ in batches:
                looks += 1
    assert looks <= 2  # the past, and once more after joining


async def test_a_lost_message_costs_one_poll(
    row: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow_module, "POLL_S", 0.1)
    async with aclosing(follow(row.pk)) as batches:
        await next_full(batches)
        await sync_to_async(Frame.objects.create)(
            request=row, number=1, offset_ms=0, data="x", size=1
        )  # nobody announces it
        assert numbers([await next_full(batches)]) == [1]


async def test_a_layer_that_is_away_leaves_the_poll(
    row: FalRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    class Away:
        async def new_channel(self) -> str:
            raise ConnectionError("refused")

    monkeypatch.setattr(follow_module, "get_channel_layer", Away)
    monkeypatch.setattr(follow_module, "POLL_S", 0.1)
    async with aclosing(follow(row.pk)) as batches:
        await next_full(batches)
        await sync_to_async(add_frames)(row, 1)
        assert numbers([await next_full(batches)]) == [1]
    assert "this reader polls" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


@pytest.mark.slow
async def test_it_waits_for_the_logs_that_follow_an_end_by_webhook(row: FalRequest) -> None:
    def ended_by_webhook() -> None:
        FalRequest.objects.filter(pk=row.pk).update(
            status=Status.COMPLETED, ended_at=timezone.now(), due_at=timezone.now()
        )

    def looked_once_more() -> None:
        LogLine.objects.create(request=row, message="late", digest="1")
        FalRequest.objects.filter(pk=row.pk).update(due_at=None)

    await sync_to_async(ended_by_webhook)()
    async with aclosing(follow(row.pk)) as batches:
        assert not (await next_full(batches)).ended
        await sync_to_async(looked_once_more)()
        batch = await next_full(batches)
    assert batch.ended
    assert [line.message for line in batch.log_lines] == ["late"]


async def test_it_does_not_wait_for_those_logs_for_ever(row: FalRequest) -> None:
    await FalRequest.objects.filter(pk=row.pk).aupdate(
        status=Status.COMPLETED,
        due_at=timezone.now(),
        ended_at=timezone.now() - follow_module.AFTERCARE - timedelta(seconds=1),
    )
    assert [batch.ended for batch in await to_the_end(row)] == [True]


@pytest.mark.parametrize("way", ["closed", "cancelled"])
async def test_a_reader_that_goes_leaves_nothing_behind(
    row: FalRequest, way: str, in_memory_layer: Any
) -> None:
    layer, group = in_memory_layer, announce.group_of_request(row.pk)
    tasks = asyncio.all_tasks()
    batches = follow(row.pk)
    if way == "closed":
        await next_full(batches)
        await until(lambda: group in layer.groups)
        await batches.aclose()
    else:
        reader = asyncio.create_task(to_the_end(row))
        await until(lambda: group in layer.groups)
        reader.cancel()
        await asyncio.gather(reader, return_exceptions=True)
    await until(lambda: group not in layer.groups and asyncio.all_tasks() == tasks)
