"""The short cut for readers in the writer's process: in order, bounded, and honest about gaps."""

from __future__ import annotations

import asyncio
import threading

from requests_app import feed as feed_module
from requests_app.feed import Feed
from requests_app.frames import NewFrame


def frame(number: int, *, size: int = 1) -> NewFrame:
    return NewFrame(number, 0.0, "x" * size, size)


def numbers(frames: list[NewFrame]) -> list[int]:
    return [frame.number for frame in frames]


async def test_frames_of_another_thread_wake_the_reader_and_come_in_order() -> None:
    feed, woken = Feed(), asyncio.Event()
    with feed.reader(1, woken.set) as reader:
        writer = threading.Thread(target=lambda: [feed.publish(1, frame(n)) for n in (1, 2, 3)])
        writer.start()
        await asyncio.wait_for(woken.wait(), 5)
        writer.join()
        assert numbers(reader.take(0)) == [1, 2, 3]
        assert reader.take(3) == []


async def test_what_the_reader_has_already_is_not_handed_out_again() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        for number in (1, 2, 3):
            feed.publish(1, frame(number))
        assert numbers(reader.take(2)) == [3]


async def test_nothing_is_handed_out_behind_a_gap_until_it_has_been_closed() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        feed.publish(1, frame(5))
        assert reader.take(2) == []
        assert numbers(reader.take(4)) == [5]  # 3 and 4 were found in the record


async def test_a_slow_reader_costs_a_bounded_number_of_bytes() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        for number in range(1, 100):
            feed.publish(1, frame(number, size=feed_module.MOST_WAITING // 10))
        assert sum(frame.memory for frame in reader._frames) <= feed_module.MOST_WAITING
        assert reader.take(0) == []  # the oldest are gone: left to the record


async def test_requests_and_readers_are_kept_apart_and_nothing_stays_behind() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as one, feed.reader(1, lambda: None) as other:
        feed.publish(2, frame(1))
        assert one.take(0) == []
        feed.publish(1, frame(1))
        assert numbers(one.take(0)) == numbers(other.take(0)) == [1]
    assert feed._readers == {}


def test_a_reader_whose_loop_is_gone_does_not_hurt_the_writer() -> None:
    feed = Feed()

    async def leave_open() -> object:
        reader = feed.reader(1, lambda: None)
        reader.__enter__()
        return reader

    kept = asyncio.run(leave_open())
    feed.publish(1, frame(1))
    assert kept


async def test_a_batch_is_small_and_the_rest_follows_when_asked_again() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        for number in (1, 2, 3):
            feed.publish(1, frame(number, size=feed_module.MOST_TAKEN))
        assert [numbers(reader.take(n)) for n in range(4)] == [[1], [2], [3], []]
