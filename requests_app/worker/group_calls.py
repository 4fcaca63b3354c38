"""Group commit: concurrent database calls of one kind run as one call, in one transaction.

While one group is in the database, the next one collects. A group that fails is run again item by item, so
that an item that cannot be processed is a failure of its own only.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from requests_app.worker.faults import DATABASE_AWAY
from requests_app.worker.loop import pool

Item = TypeVar("Item")
Answer = TypeVar("Answer")

AT_MOST = 100  # items of one transaction: other writers wait for its end


@dataclass
class _Queue(Generic[Item, Answer]):
    """The items that wait on one event loop, and whether a group is in the database."""

    waiting: list[tuple[Item, asyncio.Future[Answer]]] = field(default_factory=list)
    is_busy: bool = False


class GroupedCall(Generic[Item, Answer]):
    """Call it with one item; `many` gets the items of a group and returns their answers in the same order.

    `many` must be safe to repeat for items whose first run was rolled back.
    """

    def __init__(self, many: Callable[[Sequence[Item]], Sequence[Answer]]) -> None:
        self._many = many
        self._queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queue[Item, Answer]] = (
            WeakKeyDictionary()
        )

    async def __call__(self, item: Item) -> Answer:
        """Raise what `many` raises for this item alone; for an outage of the database, what it raised.

        Cancelling the caller does not cancel the call: a write that is still queued must not be lost.
        """
        loop = asyncio.get_running_loop()
        queue = self._queues.setdefault(loop, _Queue())
        answer: asyncio.Future[Answer] = loop.create_future()
        queue.waiting.append((item, answer))
        if not queue.is_busy:
            queue.is_busy = True
            loop.call_soon(self._begin, queue)  # after the other tasks of this turn of the loop
        return await answer

    def _begin(self, queue: _Queue[Item, Answer]) -> None:
        group, queue.waiting = queue.waiting[:AT_MOST], queue.waiting[AT_MOST:]
        asked = pool.submit_to_pool(self._answers, [item for item, _ in group])
        asked.add_done_callback(partial(self._end, queue, [answer for _, answer in group]))

    def _end(
        self,
        queue: _Queue[Item, Answer],
        futures: list[asyncio.Future[Answer]],
        asked: asyncio.Future[list[Answer | Exception]],
    ) -> None:
        if queue.waiting:
            self._begin(queue)
        else:
            queue.is_busy = False
        error = asked.exception()
        answers = asked.result() if error is None else [error] * len(futures)
        for future, answer in zip(futures, answers, strict=True):
            if future.done():  # its caller was cancelled
                continue
            if isinstance(answer, BaseException):
                future.set_exception(answer)
                future.exception()  # retrieved: a caller that was cancelled never looks
            else:
                future.set_result(answer)

    def _answers(self, items: list[Item]) -> list[Answer | Exception]:
        try:
            return list(self._many(items))
        except DATABASE_AWAY:
            raise
        except Exception as error:
            if len(items) == 1:
                return [error]
        return [answer for item in items for answer in self._answers([item])]
