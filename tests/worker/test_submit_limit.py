"""Few places at first and after an outage, one more with each answer."""

from __future__ import annotations

import asyncio

import pytest

from requests_app.worker.submit_limit import FEW, MOST, SubmitLimit


async def calls(ramp: SubmitLimit, count: int, *, well: bool) -> int:
    """So many at once, each a moment long; how many were under way at the same time."""
    under_way = most = 0

    async def call() -> None:
        nonlocal under_way, most
        async with ramp.place(lambda: well):
            under_way += 1
            most = max(most, under_way)
            await asyncio.sleep(0.002)
            under_way -= 1

    await asyncio.wait_for(asyncio.gather(*(call() for _ in range(count))), 30)
    return most


async def test_few_are_risked_while_fal_does_not_answer() -> None:
    assert await calls(SubmitLimit(), 40, well=False) == FEW


async def test_each_answer_makes_room_up_to_the_most_there_may_be() -> None:
    ramp = SubmitLimit()
    await calls(ramp, FEW, well=True)
    assert ramp.size == 2 * FEW
    await calls(ramp, 2 * MOST, well=True)
    assert await calls(ramp, 2 * MOST, well=True) == ramp.size == MOST


async def test_an_outage_takes_the_room_back_and_an_answer_gives_it_again() -> None:
    ramp = SubmitLimit()
    await calls(ramp, 2 * MOST, well=True)
    await calls(ramp, 2 * MOST, well=False)
    assert await calls(ramp, 20, well=False) == ramp.size == FEW
    await calls(ramp, 2 * MOST, well=True)
    assert ramp.size == MOST


async def test_a_place_that_was_left_by_a_failure_is_free_again() -> None:
    ramp = SubmitLimit()
    for _ in range(FEW + 1):
        with pytest.raises(RuntimeError):
            async with ramp.place(lambda: True):
                raise RuntimeError
    assert await calls(ramp, 20, well=False) == FEW
