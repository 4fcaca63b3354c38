"""Threads for blocking database calls made from the worker's event loop."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any, TypeVar

from django.db import InterfaceError, OperationalError, connection, connections

T = TypeVar("T")
logger = logging.getLogger(__name__)

RETRY_FOR_S = 60.0  # how long a write that must not be lost is retried while the database is down
RETRY_EVERY_S = 1.0
CLOSE_S = 10.0


class DatabasePool:
    """A fixed number of threads, each with one connection that stays open between calls."""

    def __init__(self, size: int | None = None) -> None:
        # SQLite takes one writer at a time and makes the others sleep; a queue is quicker.
        self.size = size or (1 if connection.vendor == "sqlite" else 4)
        self.executor = ThreadPoolExecutor(self.size, thread_name_prefix="worker-db")

    async def in_database(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking database function in the pool and return its result.

        Cancelling the caller does not cancel the call: a write that is still queued must not be lost.
        """
        return await asyncio.shield(self.submit_to_pool(call, *args, **kwargs))

    def submit_to_pool(
        self, call: Callable[..., T], *args: Any, **kwargs: Any
    ) -> asyncio.Future[T]:
        """Queue a blocking database function without awaiting it, for event-loop callbacks."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self.executor, lambda: _on_connection(call, args, kwargs))

    async def in_database_with_retry(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Like `in_database`, but retry for a minute while the database is down.

        For facts that cannot be fetched again, such as the reply to a submit.
        """
        return await with_retry(lambda: self.in_database(call, *args, **kwargs))

    def close_connections(self) -> None:
        """Close each thread's connection, after all calls queued so far. Blocks."""
        barrier = threading.Barrier(self.size)  # keeps one thread from taking two of the tasks

        def close() -> None:
            barrier.wait(CLOSE_S)
            connections.close_all()

        wait([self.executor.submit(close) for _ in range(self.size)])

    def close(self) -> None:
        """End the threads, after all calls queued so far. Blocks."""
        self.close_connections()
        self.executor.shutdown()


async def with_retry(write: Callable[[], Awaitable[T]]) -> T:
    """Await the write, and again for a minute while the database is down."""
    end = asyncio.get_running_loop().time() + RETRY_FOR_S
    while True:
        try:
            return await write()
        except (OperationalError, InterfaceError):
            if asyncio.get_running_loop().time() >= end:
                raise
            logger.warning("The database is down; retrying the write.", exc_info=True)
        await asyncio.sleep(RETRY_EVERY_S)


def _on_connection(call: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    """Call the function on this thread's connection; opening one costs more than most calls."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()  # the database server was restarted since the last call
    try:
        return call(*args, **kwargs)
    except (OperationalError, InterfaceError):
        connection.close()
        raise
