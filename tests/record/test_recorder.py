"""The record of a stream: every event once, in order, whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from requests_app import lifecycle
from requests_app.fal import StreamEvent
from requests_app.models import FalRequest
from requests_app.record import recorder as recorder_module
from requests_app.record import storage
from requests_app.record.live_feed import feed
from requests_app.record.recorder import Caps, Full, Recorder
from requests_app.worker.loop import pool, worker_loop
from tests.worker.conftest import busy_database

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def loop() -> Iterator[Any]:
    """The loop the record is kept on, stopped afterwards."""
    yield worker_loop
    worker_loop.stop(drain_s=2)


async def add(recorder: Recorder, number: int, *, size: int = 10) -> None:
    recorder.add(f"event {number}", size)
    await recorder.room()


def record(
    loop: Any,
    row: FalRequest,
    work: Callable[[Recorder], Awaitable[None]],
    caps: Caps | None = None,
) -> list[str]:
    """What stands in the record after `work`."""

    async def whole() -> None:
        recorder = Recorder(row.pk, pool.in_database, caps)
        try:
            await work(recorder)
        finally:
            await recorder.close()

    loop.run(whole(), timeout_s=60)
    rows = list(row.frames.values_list("number", "data"))
    assert [number for number, _ in rows] == list(range(1, len(rows) + 1))
    return [data for _, data in rows]


async def stored(row: FalRequest, count: int) -> None:
    """Wait until so many frames are on disk."""
    async with asyncio.timeout(30):
        while await pool.in_database(row.frames.count) < count:
            await asyncio.sleep(0.01)


def test_events_are_numbered_from_one_and_kept_in_order(loop: Any, row: FalRequest) -> None:
    async def some(recorder: Recorder) -> None:
        for number in range(500):
            await add(recorder, number)

    assert record(loop, row, some) == [f"event {number}" for number in range(500)]


def test_events_that_came_together_are_told_apart(loop: Any, row: FalRequest) -> None:
    odd = StreamEvent("step\0", "a\0b\ud800", "\ud800", 20)

    async def together(recorder: Recorder) -> None:
        recorder.add_events([StreamEvent("", "first", None, 7), odd], ["output", "error"])
        recorder.add_events([StreamEvent("", "third", "3", 7)], ["part"])
        assert recorder.count == recorder.kept == 3

    assert record(loop, row, together) == ["first", "a\ufffdb\ufffd", "third"]
    rows = row.frames.values_list("event", "event_id", "size", "says")
    assert list(rows) == [
        ("", "", 7, "output"), ("step\ufffd", "\ufffd", 20, "error"), ("", "3", 7, "part"),
    ]  # fmt: skip


def test_an_event_is_on_disk_soon_while_the_stream_stays_open(loop: Any, row: FalRequest) -> None:
    seen: list[int] = []

    async def one_and_wait(recorder: Recorder) -> None:
        await add(recorder, 1)
        await stored(row, 1)
        seen.append(recorder.count)

    record(loop, row, one_and_wait)
    assert seen == [1]


def test_what_comes_during_a_slow_write_is_collected_and_not_written_by_the_piece(
    loop: Any, row: FalRequest
) -> None:
    sizes: list[int] = []
    writing, go_on = asyncio.Event(), asyncio.Event()

    async def slow(call: Callable[..., Any], pk: int, batch: list[Any]) -> None:
        sizes.append(len(batch))
        writing.set()
        await go_on.wait()
        await pool.in_database(call, pk, batch)

    async def a_hundred() -> None:
        recorder = Recorder(row.pk, slow)
        await add(recorder, 0)
        await writing.wait()
        for number in range(1, 100):
            await add(recorder, number)
            await asyncio.sleep(0.001)
        go_on.set()
        await recorder.close()

    loop.run(a_hundred(), timeout_s=60)
    assert row.frames.count() == 100
    assert sizes == [1, 99]


def test_a_batch_that_waits_for_the_database_when_the_stream_ends_is_not_lost(
    loop: Any, row: FalRequest
) -> None:
    async def ends_while_busy(recorder: Recorder) -> None:
        with busy_database() as release:
            await add(recorder, 1)
            await asyncio.sleep(0.1)  # the writer has taken the batch and waits for its turn
            await add(recorder, 2)
            asyncio.get_running_loop().call_later(0.1, release.set)
            await recorder.close()

    assert record(loop, row, ends_while_busy) == ["event 1", "event 2"]


def test_a_database_that_fails_for_a_moment_loses_no_frame(
    loop: Any, row: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    append, calls = storage.append, []

    def fails_first(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 1:
            raise OperationalError("database is locked")
        append(*args)

    monkeypatch.setattr(recorder_module, "RETRY_EVERY_S", 0.01)
    monkeypatch.setattr(storage, "append", fails_first)

    async def slowly(recorder: Recorder) -> None:
        for number in range(3):
            await add(recorder, number)
            await stored(row, number + 1)

    assert record(loop, row, slowly) == ["event 0", "event 1", "event 2"]
    assert len(calls) > 2  # written while the stream was open, not only at its end


def test_the_stream_is_not_read_on_while_too_much_is_not_on_disk(
    loop: Any, row: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder_module, "MOST_WAITING", 1000)
    taken: list[int] = []

    async def fast(recorder: Recorder) -> None:
        for number in range(10):
            await add(recorder, number)
            taken.append(number)

    async def against_a_busy_database(recorder: Recorder) -> None:
        with busy_database() as release:
            reader = asyncio.create_task(fast(recorder))
            while not taken:
                await asyncio.sleep(0.01)
            await asyncio.sleep(0.2)
            held_back = list(taken)
            release.set()
            await reader
        assert held_back == [0]

    assert len(record(loop, row, against_a_busy_database)) == 10


def test_closing_gives_up_on_a_database_that_stays_away(
    loop: Any,
    row: FalRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fails(*args: Any) -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(recorder_module, "CLOSE_S", 0.1)
    monkeypatch.setattr(storage, "append", fails)
    with caplog.at_level(logging.ERROR):
        assert record(loop, row, lambda recorder: add(recorder, 1)) == []
    assert "The last 1 frames" in caplog.text


@pytest.mark.parametrize("together", [1, 2, 5, 10])
@pytest.mark.parametrize("caps", [Caps(frames=3, bytes=1000), Caps(frames=100, bytes=35)])
def test_a_cap_ends_the_record_and_not_the_call_and_is_told_once(
    loop: Any, row: FalRequest, caps: Caps, together: int
) -> None:
    counts: list[tuple[int, int]] = []

    async def more_than_fits(recorder: Recorder) -> None:
        events = [StreamEvent("", f"event {number}", None, 10) for number in range(10)]
        for first in range(0, 10, together):
            batch = events[first : first + together]
            recorder.add_events(batch, ["output"] * len(batch))
            await recorder.room()
        counts.append((recorder.kept, recorder.count))

    assert record(loop, row, more_than_fits, caps) == ["event 0", "event 1", "event 2"]
    assert counts == [(3, 10)]
    [told] = row.observations.filter(kind="capped")
    assert "it holds frames 1 to 3, " in told.note
    assert (told.data["frame"], told.data["bytes"]) == (3, 30)
    assert told.data["offset_ms"] >= row.frames.get(number=3).offset_ms
    [counted] = row.observations.filter(kind="counted")
    assert counted.note == "There were 10 frames in all; the record holds the first 3."
    assert counted.data == {"count": 10}


@pytest.mark.parametrize(
    ("full", "words"),
    [
        (Full(0, 0, 10.0), "after 0.0 s: it holds nothing."),
        (Full(3, 1234, 1260.0), "after 1.3 s: it holds frames 1 to 3, 1.2 kB."),
        (Full(9, 268_435_456, 90_000.0), "after 90.0 s: it holds frames 1 to 9, 268.4 MB."),
    ],
)
def test_a_full_record_says_what_it_holds_and_when_it_became_full(full: Full, words: str) -> None:
    assert words in full.note


def test_what_is_said_of_later_frames_is_true_of_a_stream_and_of_a_session() -> None:
    assert "neither kept nor shown" in Full(3, 1234, 1.0).note
    assert "passed on and not kept" in Full(3, 1234, 1.0, is_passed_on=True).note
    assert Full(0, 0, 1.0).note_of(1234) == (
        "There were 1,234 frames in all; the record holds none of them."
    )


def test_a_record_with_room_left_needs_no_count(loop: Any, row: FalRequest) -> None:
    record(loop, row, lambda recorder: add(recorder, 1))
    assert not row.observations.filter(kind__in=["capped", "counted"]).exists()


def test_a_database_that_is_away_at_the_end_does_not_lose_the_count(
    loop: Any, row: FalRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, calls = lifecycle.note_frame_count, []

    def twice_away(*args: Any, **kwargs: Any) -> None:
        calls.append(1)
        if len(calls) < 3:
            raise OperationalError("database is locked")
        real(*args, **kwargs)

    monkeypatch.setattr(recorder_module, "RETRY_EVERY_S", 0.01)
    monkeypatch.setattr(lifecycle, "note_frame_count", twice_away)

    async def two(recorder: Recorder) -> None:
        await add(recorder, 1)
        await add(recorder, 2)

    record(loop, row, two, Caps(frames=1, bytes=1000))
    assert row.observations.get(kind="counted").data == {"count": 2}
    assert row.observations.filter(kind="capped").count() == 1


def test_the_caps_are_those_of_the_settings(settings: Any) -> None:
    settings.RECORD_FRAMES, settings.RECORD_BYTES = 7, 3 * 2**20
    assert Caps.from_settings() == Caps(7, 3 * 2**20)


def test_a_frame_that_cannot_be_stored_holds_up_neither_call_nor_memory(
    loop: Any, row: FalRequest, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*args: Any) -> None:
        raise TypeError("a bug")

    monkeypatch.setattr(recorder_module, "MOST_WAITING", 1000)
    monkeypatch.setattr(storage, "append", breaks)

    async def goes_on(recorder: Recorder) -> None:
        for number in range(10):
            await add(recorder, number)
        assert recorder.is_capped

    assert record(loop, row, goes_on) == []
    assert "is broken off" in caplog.text


def test_readers_here_get_a_frame_before_it_is_on_disk(loop: Any, row: FalRequest) -> None:
    async def read_at_once(recorder: Recorder) -> None:
        woken = asyncio.Event()
        with feed.reader(row.pk, woken.set) as reader, busy_database():
            await add(recorder, 1)
            await asyncio.wait_for(woken.wait(), 20)
            assert [frame.data for frame in reader.take(0)] == ["event 1"]

    assert record(loop, row, read_at_once) == ["event 1"]


def test_nothing_is_left_running_after_the_end(loop: Any, row: FalRequest) -> None:
    record(loop, row, lambda recorder: add(recorder, 1))

    async def others() -> set[Any]:
        return asyncio.all_tasks() - {asyncio.current_task()}

    assert loop.run(others()) == set()
