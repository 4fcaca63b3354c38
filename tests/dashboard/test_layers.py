"""The embedded channel layer: from any thread, the newest always arrives, nothing stays behind."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from dashboard.layers import ThreadSafeInMemoryLayer


@pytest.fixture
def layer() -> ThreadSafeInMemoryLayer:
    return ThreadSafeInMemoryLayer()


def send_from_afar(layer: ThreadSafeInMemoryLayer, *numbers: int) -> None:
    async def send() -> None:
        for number in numbers:
            await layer.group_send("rows", {"type": "x", "n": number})

    sender = threading.Thread(target=asyncio.run, args=[send()])
    sender.start()
    sender.join(5)
    assert not sender.is_alive()


async def joined(layer: ThreadSafeInMemoryLayer, group: str = "rows") -> str:
    channel: str = await layer.new_channel()
    await layer.group_add(group, channel)
    return channel


async def test_a_message_from_the_same_loop_reaches_every_member(
    layer: ThreadSafeInMemoryLayer,
) -> None:
    first, second = await joined(layer), await joined(layer)
    await layer.group_send("rows", {"type": "x", "n": 1})
    assert [(await layer.receive(channel))["n"] for channel in (first, second)] == [1, 1]


async def test_members_do_not_share_one_message(layer: ThreadSafeInMemoryLayer) -> None:
    first, second = await joined(layer), await joined(layer)
    await layer.group_send("rows", {"type": "x"})
    (await layer.receive(first))["type"] = "changed by its reader"
    assert (await layer.receive(second))["type"] == "x"


async def test_a_sender_in_another_thread_wakes_an_idle_reader_at_once(
    layer: ThreadSafeInMemoryLayer,
) -> None:
    channel, loop, is_late = await joined(layer), asyncio.get_running_loop(), threading.Event()

    def wake() -> None:
        is_late.set()
        loop.call_soon_threadsafe(lambda: None)

    sender, watchdog = threading.Timer(0.05, send_from_afar, [layer, 1]), threading.Timer(5, wake)
    sender.start()
    watchdog.start()
    # Without a time limit of its own: that would wake the loop, and the message would be found.
    assert (await layer.receive(channel))["n"] == 1
    assert not is_late.is_set()
    watchdog.cancel()
    sender.join()


async def test_messages_from_afar_keep_their_order(layer: ThreadSafeInMemoryLayer) -> None:
    channel = await joined(layer)
    send_from_afar(layer, *range(50))
    assert [(await layer.receive(channel))["n"] for _ in range(50)] == list(range(50))


async def test_a_full_channel_keeps_the_newest() -> None:
    layer = ThreadSafeInMemoryLayer(capacity=3)
    channel = await joined(layer)
    for number in range(10):
        await layer.group_send("rows", {"type": "x", "n": number})
    assert [(await layer.receive(channel))["n"] for _ in range(3)] == [7, 8, 9]


async def test_a_burst_over_many_rows_fits(layer: ThreadSafeInMemoryLayer) -> None:
    channel = await joined(layer)
    for number in range(5000):
        await layer.group_send("rows", {"type": "x", "n": number})
    assert (await layer.receive(channel))["n"] == 0


async def test_a_message_that_is_on_its_way_when_its_reader_leaves_is_dropped(
    layer: ThreadSafeInMemoryLayer,
) -> None:
    channel = await joined(layer)
    send_from_afar(layer, 1)  # waits for this loop's next turn
    await layer.group_discard("rows", channel)
    await asyncio.sleep(0.01)
    assert layer.channels == {}


async def test_a_member_of_two_groups_stays_reachable_until_it_leaves_both(
    layer: ThreadSafeInMemoryLayer,
) -> None:
    channel = await joined(layer)
    await layer.group_add("other", channel)
    await layer.group_discard("rows", channel)
    await layer.group_send("other", {"type": "x", "n": 2})
    assert (await layer.receive(channel))["n"] == 2
    await layer.group_discard("other", channel)
    assert (layer.groups, layer.channels, layer._loops) == ({}, {}, {})


async def test_sending_to_a_reader_whose_loop_has_ended_harms_nobody(
    layer: ThreadSafeInMemoryLayer,
) -> None:
    gone = threading.Thread(target=asyncio.run, args=[joined(layer)])
    gone.start()
    gone.join()
    alive = await joined(layer)
    await layer.group_send("rows", {"type": "x", "n": 3})
    assert (await layer.receive(alive))["n"] == 3


async def test_nobody_in_the_group_is_no_error(layer: ThreadSafeInMemoryLayer) -> None:
    await layer.group_send("nobody", {"type": "x"})
    assert layer.channels == {}


async def test_many_threads_at_once_lose_nothing(layer: ThreadSafeInMemoryLayer) -> None:
    channel = await joined(layer)
    senders = [threading.Thread(target=send_from_afar, args=[layer, *range(100)]) for _ in range(8)]
    for sender in senders:
        sender.start()
    received: list[Any] = [await asyncio.wait_for(layer.receive(channel), 5) for _ in range(800)]
    assert sorted(message["n"] for message in received) == sorted(list(range(100)) * 8)
    for sender in senders:
        sender.join()
