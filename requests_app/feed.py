"""Frames for readers in the process that records them, before the record is on disk.

Only a short cut: what a reader misses here (it is slow, or the writer is another process) it finds
in the record. Frames carry numbers, so a reader knows whether it has missed one.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from requests_app.frames import NewFrame

MOST_WAITING = 1024 * 1024  # bytes that wait for one reader; more are left to the record
MOST_TAKEN = 128 * 1024  # bytes in one batch, for a reader that stands still keeps it in memory


class Reader:
    """The frames that came and are not taken yet; `wake` is called on the reader's own loop."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._frames: deque[NewFrame] = deque()
        self._bytes = 0
        self._is_woken = False

    def put(self, frame: NewFrame) -> None:
        """From any thread. A reader that is too far behind loses all that waits."""
        with self._lock:
            if self._bytes + frame.memory > MOST_WAITING:
                self._frames.clear()
                self._bytes = 0
            self._frames.append(frame)
            self._bytes += frame.memory
            if self._is_woken:
                return
            self._is_woken = True
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # that loop has been closed, and its reader with it
            return

    def take(self, after: int) -> list[NewFrame]:
        """What follows frame `after` without a gap; ask again until there is nothing more."""
        with self._lock:
            self._is_woken = False
            taken: list[NewFrame] = []
            size = 0
            while self._frames and self._frames[0].number <= after + 1 and size < MOST_TAKEN:
                frame = self._frames.popleft()
                self._bytes -= frame.memory
                if frame.number == after + 1:
                    taken.append(frame)
                    size += frame.memory
                    after += 1
            return taken


class Feed:
    """Who reads which request's frames in this process."""

    def __init__(self) -> None:
        self._readers: dict[int, tuple[Reader, ...]] = {}
        self._lock = threading.Lock()

    def publish(self, pk: int, frame: NewFrame) -> None:
        """Hand the frame to whoever reads; never waits."""
        for reader in self._readers.get(pk, ()):
            reader.put(frame)

    @contextmanager
    def reader(self, pk: int, wake: Callable[[], None]) -> Iterator[Reader]:
        """Read the request's frames while the block lasts (on a running loop)."""
        reader = Reader(wake)
        with self._lock:
            self._readers[pk] = (*self._readers.get(pk, ()), reader)
        try:
            yield reader
        finally:
            with self._lock:
                rest = tuple(other for other in self._readers[pk] if other is not reader)
                if rest:
                    self._readers[pk] = rest
                else:
                    del self._readers[pk]


feed = Feed()
