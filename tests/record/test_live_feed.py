"""The short cut for readers in the writer's process: in order, bounded, and honest about gaps."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable, Sequence

from requests_app.record import live_feed as feed_module
from requests_app.record.frame import NewFrame, memory_of
from requests_app.record.live_feed import Feed


def frame(number: int, *, size: int = 1) -> NewFrame:
    return NewFrame(number, 0.0, "x" * size, size)


def publish(feed: Feed, pk: int, numbers: Iterable[int], *, size: int = 1) -> None:
    for number in numbers:
        feed.publish(pk, [frame(number, size=size)])


def numbers(frames: Sequence[NewFrame]) -> list[int]:
    return [frame.number for frame in frames]


async def test_frames_of_another_thread_wake_the_reader_and_come_in_order() -> None:
    feed, woken = Feed(), asyncio.Event()
    with feed.reader(1, woken.set) as reader:
        writer = threading.Thread(target=publish, args=(feed, 1, (1, 2, 3)))
        writer.start()
        await asyncio.wait_for(woken.wait(), 5)
        writer.join()
        assert numbers(reader.take(0)) == [1, 2, 3]
        assert not reader.take(3)


async def test_what_the_reader_has_already_is_not_handed_out_again() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        feed.publish(1, [frame(1), frame(2)])
        feed.publish(1, [frame(3)])
        assert numbers(reader.take(2)) == [3]


async def test_nothing_is_handed_out_behind_a_gap_until_it_has_been_closed() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        feed.publish(1, [frame(5)])
        assert not reader.take(2)
        assert numbers(reader.take(4)) == [5]  # 3 and 4 were found in the record


async def test_slow_readers_together_cost_a_bounded_number_of_bytes() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as slow, feed.reader(1, lambda: None):
        publish(feed, 1, range(1, 100), size=feed_module.MOST_KEPT // 20)
        assert memory_of(slow._shelf._newest) <= feed_module.MOST_KEPT
        assert not slow.take(0)  # the oldest are gone: left to the record
        assert numbers(slow.take(98)) == [99]


async def test_pages_of_the_record_serve_the_other_readers_and_are_bounded_too() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as one, feed.reader(1, lambda: None) as other:
        one.keep([frame(n) for n in (3, 4, 5)])
        assert numbers(other.take(3)) == [4, 5]
        assert not other.take(1) and not other.take(5)
        for number in range(10, 110):
            one.keep([frame(number, size=feed_module.MOST_KEPT // 20)])
        kept = [frame for page in one._shelf._pages for frame in page]
        assert memory_of(kept) <= feed_module.MOST_KEPT
        assert numbers(other.take(108)) == [109]


async def test_pages_that_were_read_are_at_most_so_many() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        for number in range(1, 1000):
            reader.keep([frame(number)])
        assert len(reader._shelf._pages) == feed_module.MOST_PAGES


async def test_a_gap_in_what_is_kept_is_left_to_the_record() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        reader.keep([frame(1), frame(2), frame(5), frame(6)])
        assert not reader.take(2)
        assert not reader.take(3)
        publish(feed, 1, (7, 8))
        publish(feed, 1, (1, 2))  # begun anew
        assert not reader.take(7)


async def test_a_reader_that_is_a_little_behind_still_gets_what_the_others_have() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as one, feed.reader(1, lambda: None) as other:
        publish(feed, 1, (1, 2))
        assert numbers(one.take(0)) == [1, 2]
        publish(feed, 1, (3,))
        assert numbers(other.take(0)) == [1, 2, 3]
        assert numbers(one.take(2)) == [3]


async def test_a_reader_is_woken_once_until_it_looks() -> None:
    feed, calls = Feed(), []
    with feed.reader(1, lambda: calls.append(1)) as reader:
        publish(feed, 1, (1, 2))
        await asyncio.sleep(0)
        assert calls == [1]
        reader.take(0)
        publish(feed, 1, (3,))
        await asyncio.sleep(0)
        assert calls == [1, 1]


async def test_requests_and_readers_are_kept_apart_and_nothing_stays_behind() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as one, feed.reader(1, lambda: None) as other:
        publish(feed, 2, (1,))
        assert not one.take(0)
        publish(feed, 1, (1,))
        assert numbers(one.take(0)) == numbers(other.take(0)) == [1]
    assert feed._read == {}


def test_a_reader_whose_loop_is_gone_does_not_hurt_the_writer() -> None:
    feed = Feed()

    async def leave_open() -> object:
        reader = feed.reader(1, lambda: None)
        reader.__enter__()
        return reader

    kept = asyncio.run(leave_open())
    publish(feed, 1, (1,))
    assert kept


async def test_a_batch_is_small_and_the_rest_follows_when_asked_again() -> None:
    feed = Feed()
    with feed.reader(1, lambda: None) as reader:
        publish(feed, 1, (1, 2, 3), size=feed_module.MOST_TAKEN)
        assert [numbers(reader.take(n)) for n in range(4)] == [[1], [2], [3], []]
