"""The worker's event loop in a thread of its own. Sync code submits coroutines with `run` and `spawn`."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from requests_app.worker.database_pool import DatabasePool
from requests_app.worker.fal_connections import FalConnections

T = TypeVar("T")
logger = logging.getLogger(__name__)

START_TIMEOUT_S = 5.0
CANCEL_S = 10.0  # how long cancelled steps may take to end


class LoopThread:
    """Starts its thread at the first call, and again at the first call after a `stop`.

    `on_start` runs in the thread before anything else, `on_stop` on the loop after everything else.
    """

    def __init__(
        self, *, on_start: Callable[[], None], on_stop: Callable[[], Awaitable[None]]
    ) -> None:
        self._on_start, self._on_stop = on_start, on_stop
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Run a coroutine on the loop and wait for its result; never call this on the loop itself.

        Cancels the coroutine and raises TimeoutError after `timeout_s` seconds.
        """
        future = self._submit(coroutine)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

    def spawn(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Start a coroutine on the loop and return at once; a failure is logged."""
        self._submit(self._tracked(coroutine))

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._running())

    async def _tracked(self, coroutine: Coroutine[Any, Any, object]) -> None:
        self.start(coroutine)

    def start(self, coroutine: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """Like `spawn`, for callers that are on the loop; return the task."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A step of the worker loop failed.", exc_info=error)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                ready = threading.Event()
                self._thread = threading.Thread(
                    target=self._serve, args=[ready], name="worker-loop", daemon=True
                )
                self._thread.start()
                ready.wait(START_TIMEOUT_S)
            if self._loop is None:
                raise RuntimeError("The worker loop did not start.")
            return self._loop

    def _serve(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop
        self._on_start()
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            loop.close()

    def stop(self, drain_s: float = 10.0) -> None:
        """Wait `drain_s` seconds for running tasks, cancel the rest, end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._drain(drain_s), loop).result(drain_s + CANCEL_S)
        except TimeoutError:
            logger.warning("Some steps did not end in time; the next start finds their rows.")
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CANCEL_S)

    async def _drain(self, drain_s: float) -> None:
        if tasks := set(self._tasks):
            await asyncio.wait(tasks, timeout=drain_s)
        while tasks := set(self._tasks):  # a step that ends may have started another
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        await self._on_stop()


pool = DatabasePool()
connections = FalConnections(pool.in_database)


async def _close() -> None:
    await connections.aclose()
    await asyncio.to_thread(pool.close_connections)  # queued after every pending write


worker_loop = LoopThread(on_start=connections.reset, on_stop=_close)
