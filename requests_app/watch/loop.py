"""The loop thread: sync code hands coroutines over with `run` and `spawn`; `stop` drains it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from django.conf import settings
from django.db import close_old_connections, connection, connections

from requests_app.fal import FalClient, Hosts
from requests_app.fal.transport import Limits

T = TypeVar("T")
logger = logging.getLogger(__name__)

START_TIMEOUT_S = 5.0
CALLS_AT_ONCE = 64  # short calls to fal at the same time; streams and runs do not count


class WatchLoop:
    """One event loop in a thread, the fal client it uses, and its threads for the database."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.calls = asyncio.Semaphore(CALLS_AT_ONCE)
        self._clients: dict[tuple[Hosts, str], FalClient] = {}
        # SQLite has one writer at a time, and its waiters sleep; a queue is quicker.
        writers = 1 if connection.vendor == "sqlite" else 4
        self._database = ThreadPoolExecutor(writers, thread_name_prefix="watch-db")

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Run it on the loop and wait for its result (never from the loop itself)."""
        return self._submit(coroutine).result(timeout_s)

    def spawn(self, coroutine: Coroutine[Any, Any, object]) -> None:
        """Start it on the loop and return at once; a failure is logged."""
        self._submit(self._tracked(coroutine))

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(coroutine, self._running())

    async def _tracked(self, coroutine: Coroutine[Any, Any, object]) -> None:
        self.start(coroutine)

    def start(self, coroutine: Coroutine[Any, Any, object]) -> asyncio.Task[Any]:
        """As `spawn`, from the loop itself."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            logger.error("A step of the watch loop failed.", exc_info=error)

    async def database(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """Run a blocking database function on this loop's own threads."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._database, lambda: _cleanly(call, args, kwargs))

    def client(self) -> FalClient:
        """The client for the configured hosts and key (call it on the loop)."""
        key = hosts_from_settings(), settings.FAL_KEY
        if key not in self._clients:
            limits = Limits(result=settings.OUTPUT_LIMIT_BYTES)
            self._clients[key] = FalClient(*key, limits=limits)
        return self._clients[key]

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                ready = threading.Event()
                threading.Thread(
                    target=self._serve, args=[ready], name="watch", daemon=True
                ).start()
                ready.wait(START_TIMEOUT_S)
            if self._loop is None:
                raise RuntimeError("The watch loop did not start.")
            return self._loop

    def _serve(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop
        self.calls = asyncio.Semaphore(CALLS_AT_ONCE)  # a semaphore belongs to one loop
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            loop.close()

    def stop(self, drain_s: float = 10.0) -> None:
        """Let what is being sent finish for a while, cut the rest, end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
        if loop is None:
            return
        asyncio.run_coroutine_threadsafe(self._drain(drain_s), loop).result(drain_s + 10)
        loop.call_soon_threadsafe(loop.stop)

    async def _drain(self, drain_s: float) -> None:
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=drain_s)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
        await asyncio.get_running_loop().run_in_executor(self._database, connections.close_all)


def _cleanly(call: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    close_old_connections()
    try:
        return call(*args, **kwargs)
    finally:
        close_old_connections()


def hosts_from_settings() -> Hosts:
    """Where fal is, from the server's configuration only."""
    return Hosts(
        run=settings.FAL_RUN_URL,
        queue=settings.FAL_QUEUE_URL,
        realtime=settings.FAL_REALTIME_URL,
        rest=settings.FAL_REST_URL,
        jwks=settings.FAL_JWKS_URL,
    )


watch_loop = WatchLoop()
run = watch_loop.run
spawn = watch_loop.spawn
stop = watch_loop.stop
