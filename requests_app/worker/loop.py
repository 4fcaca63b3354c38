"""The loop thread: sync code hands coroutines over with `run` and `spawn`; `stop` drains it."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any, TypeVar

from django.conf import settings
from django.db import (
    InterfaceError,
    OperationalError,
    connection,
    connections,
)

from requests_app.fal import FalClient, Hosts
from requests_app.fal.transport import Limits
from requests_app.worker.breaker import Breaker
from requests_app.worker.submit_limit import Ramp

T = TypeVar("T")
logger = logging.getLogger(__name__)

START_TIMEOUT_S = 5.0
CUT_S = 10.0  # for steps that were told to end
CALLS_AT_ONCE = 64  # short calls to fal at the same time; streams and runs do not count
LISTS_AT_ONCE = 4  # of large replies, to a host with limits of its own
INSIST_S = 60.0  # how long a write that must not be lost waits for the database
INSIST_EVERY_S = 1.0


class WatchLoop:
    """One event loop in a thread, the fal client it uses, and its threads for the database."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.calls = asyncio.Semaphore(CALLS_AT_ONCE)
        self.lists = asyncio.Semaphore(LISTS_AT_ONCE)
        self.submits = Ramp()
        self._clients: dict[tuple[Hosts, str], FalClient] = {}
        self._breakers: dict[str, Breaker] = {}
        # SQLite has one writer at a time, and its waiters sleep; a queue is quicker.
        self._writers = 1 if connection.vendor == "sqlite" else 4
        self._database = ThreadPoolExecutor(self._writers, thread_name_prefix="watch-db")

    def run(self, coroutine: Coroutine[Any, Any, T], timeout_s: float | None = None) -> T:
        """Run it on the loop and wait for its result (never from the loop itself).

        Raises TimeoutError after `timeout_s` seconds; what was begun is then cut off.
        """
        future = self._submit(coroutine)
        try:
            return future.result(timeout_s)
        except TimeoutError:
            future.cancel()
            raise

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
        """Run a blocking database function on this loop's own threads.

        A caller that is cancelled meanwhile leaves at once, but what it handed over is still done:
        a write that waits for its turn must not vanish with its writer.
        """
        return await asyncio.shield(self.hand_over(call, *args, **kwargs))

    def hand_over(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> asyncio.Future[T]:
        """As `database`, for callbacks of a loop."""
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._database, lambda: _cleanly(call, args, kwargs))

    async def insist(self, call: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        """As `database`, for news that cannot be had again: tries for a minute while it is away."""
        end = asyncio.get_running_loop().time() + INSIST_S
        while True:
            try:
                return await self.database(call, *args, **kwargs)
            except (OperationalError, InterfaceError):
                if asyncio.get_running_loop().time() >= end:
                    raise
                logger.warning("The database is away; trying again.", exc_info=True)
            await asyncio.sleep(INSIST_EVERY_S)

    def client(self) -> FalClient:
        """The client for the configured hosts and key (call it on the loop)."""
        key = hosts_from_settings(), settings.FAL_KEY
        if key not in self._clients:
            limits = Limits(result=settings.OUTPUT_LIMIT_BYTES)
            self._clients[key] = FalClient(*key, limits=limits)
        return self._clients[key]

    def breaker(self) -> Breaker:
        """Whether the configured queue is there, for the configured key (use it on the loop)."""
        whose = f"{settings.FAL_QUEUE_URL} {settings.FAL_KEY}"
        name = hashlib.sha256(whose.encode()).hexdigest()[:12]
        return self._breakers.setdefault(name, Breaker(name))

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                ready = threading.Event()
                self._thread = threading.Thread(
                    target=self._serve, args=[ready], name="watch", daemon=True
                )
                self._thread.start()
                ready.wait(START_TIMEOUT_S)
            if self._loop is None:
                raise RuntimeError("The watch loop did not start.")
            return self._loop

    def _serve(self, ready: threading.Event) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._loop = loop
        # All of them are of one loop.
        self.calls, self.submits = asyncio.Semaphore(CALLS_AT_ONCE), Ramp()
        self.lists = asyncio.Semaphore(LISTS_AT_ONCE)
        loop.call_soon(ready.set)
        try:
            loop.run_forever()
        finally:
            loop.close()

    def stop(self, drain_s: float = 10.0) -> None:
        """Let what is being sent finish for a while, cut the rest, end the thread."""
        with self._lock:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        try:
            asyncio.run_coroutine_threadsafe(self._drain(drain_s), loop).result(drain_s + CUT_S)
        except TimeoutError:
            logger.warning(
                "Some steps could not be cut off; their rows are found at the next start."
            )
        loop.call_soon_threadsafe(loop.stop)
        thread.join(CUT_S)

    async def _drain(self, drain_s: float) -> None:
        if tasks := set(self._tasks):
            await asyncio.wait(tasks, timeout=drain_s)
        while tasks := set(self._tasks):  # a step that ends may have begun another
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()
        self._breakers.clear()
        await asyncio.to_thread(self._close_connections)  # behind every write handed over

    def _close_connections(self) -> None:
        """Each thread closes its own: the gate keeps one thread from taking two turns."""
        gate = threading.Barrier(self._writers)

        def close() -> None:
            gate.wait(CUT_S)
            connections.close_all()

        wait([self._database.submit(close) for _ in range(self._writers)])


def _cleanly(call: Callable[..., T], args: tuple[Any, ...], kwargs: dict[str, Any]) -> T:
    """On this thread's own connection, which is kept (opening one costs more than most calls)."""
    if connection.connection is not None and not connection.is_usable():
        connection.close()  # the server was restarted meanwhile
    try:
        return call(*args, **kwargs)
    except (OperationalError, InterfaceError):
        connection.close()
        raise


def hosts_from_settings() -> Hosts:
    """Where fal is, from the server's configuration only."""
    return Hosts(
        run=settings.FAL_RUN_URL,
        queue=settings.FAL_QUEUE_URL,
        realtime=settings.FAL_REALTIME_URL,
        rest=settings.FAL_REST_URL,
        api=settings.FAL_API_URL,
        jwks=settings.FAL_JWKS_URL,
    )


watch_loop = WatchLoop()
run = watch_loop.run
spawn = watch_loop.spawn
stop = watch_loop.stop
