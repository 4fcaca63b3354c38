"""Concurrent calls reach the database together, and a bad item fails alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest
from django.db import OperationalError

from requests_app.worker.group_calls import AT_MOST, GroupedCall


class Halves:
    """Halves even numbers. Notes each group that it was given; the first waits until `go`."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.go = threading.Event()

    def __call__(self, items: Sequence[int]) -> list[int]:
        self.groups.append(list(items))
        assert self.go.wait(30)
        if -1 in items:
            raise OperationalError("the database is away")
        if odd := [item for item in items if item % 2]:
            raise ValueError(f"{odd} cannot be halved")
        return [item // 2 for item in items]


@pytest.fixture
def halves() -> Halves:
    return Halves()


async def ask(halves: Halves, items: Sequence[int]) -> list[int | BaseException]:
    half = GroupedCall(halves)
    answers = asyncio.gather(*(half(item) for item in items), return_exceptions=True)
    halves.go.set()
    return await answers


async def test_calls_of_one_moment_are_one_group_and_each_gets_its_own_answer(
    halves: Halves,
) -> None:
    assert await ask(halves, [2, 4, 6]) == [1, 2, 3]
    assert halves.groups == [[2, 4, 6]]


async def test_what_comes_while_a_group_is_in_the_database_is_the_next_group(
    halves: Halves,
) -> None:
    half = GroupedCall(halves)
    first = asyncio.create_task(half(2))
    while not halves.groups:
        await asyncio.sleep(0.001)
    later = [asyncio.create_task(half(item)) for item in (4, 6)]
    await asyncio.sleep(0)
    halves.go.set()
    assert await asyncio.gather(first, *later) == [1, 2, 3]
    assert halves.groups == [[2], [4, 6]]


async def test_a_large_crowd_goes_in_groups_of_a_bounded_size(halves: Halves) -> None:
    items = [2 * number for number in range(2 * AT_MOST + 1)]
    assert await ask(halves, items) == list(range(2 * AT_MOST + 1))
    assert [len(group) for group in halves.groups] == [AT_MOST, AT_MOST, 1]


async def test_a_bad_item_fails_alone(halves: Halves) -> None:
    first, bad, last = await ask(halves, [2, 3, 4])
    assert (first, last) == (1, 2)
    assert str(bad) == "[3] cannot be halved"


async def test_while_the_database_is_away_the_items_are_not_tried_one_by_one(
    halves: Halves,
) -> None:
    answers = await ask(halves, [2, -1, 4])
    assert [type(answer) for answer in answers] == [OperationalError] * 3
    assert len(halves.groups) == 1


async def test_a_caller_that_is_cancelled_takes_nothing_from_the_others(halves: Halves) -> None:
    half = GroupedCall(halves)
    tasks = [asyncio.create_task(half(item)) for item in (2, 3, 4)]
    while not halves.groups:
        await asyncio.sleep(0.001)
    tasks[1].cancel()
    halves.go.set()
    first, cancelled, last = await asyncio.gather(*tasks, return_exceptions=True)
    assert (first, last) == (1, 2)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert [2, 3, 4] in halves.groups  # it was asked for all the same


async def test_the_next_call_after_a_failure_is_answered(halves: Halves) -> None:
    half = GroupedCall(halves)
    halves.go.set()
    with pytest.raises(ValueError, match="cannot be halved"):
        await half(3)
    assert await half(8) == 4
