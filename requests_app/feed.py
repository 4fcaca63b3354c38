"""Frames for readers in the process that records them, before the record is on disk.

Only a short cut: what a reader misses here (it is slow, or the writer is another process) it finds
in the record. Frames carry numbers, so a reader knows whether it has missed one.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from requests_app.frames import NewFrame, memory_of

MOST_KEPT = 4 * 1024 * 1024  # bytes of the newest frames, for all readers of a request together
MOST_TAKEN = 128 * 1024  # bytes in one batch, for a reader that stands still keeps it in memory


class Reader:
    """One who follows a request; `wake` is called on the reader's own loop."""

    def __init__(self, newest: Newest, wake: Callable[[], None]) -> None:
        self._newest = newest
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._is_woken = False

    def wake(self) -> None:
        """From any thread: there is something to take."""
        if self._is_woken:
            return
        self._is_woken = True
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # that loop has been closed, and its reader with it
            return

    def take(self, after: int) -> Sequence[NewFrame]:
        """What follows frame `after` without a gap; ask again until there is nothing more."""
        self._is_woken = False  # before looking: what comes while we look wakes us again
        return self._newest.after(after)


class Newest:
    """The newest frames of a request, kept once for all its readers, in a row without a gap."""

    def __init__(self) -> None:
        self.readers: tuple[Reader, ...] = ()
        self._lock = threading.Lock()
        self._frames: list[NewFrame] = []
        self._memory = 0

    def add(self, frames: Sequence[NewFrame]) -> None:
        """The frames that follow, from any thread; the oldest make room."""
        with self._lock:
            self._frames += frames
            self._memory += memory_of(frames)
            if self._memory > MOST_KEPT:
                self._forget()
        for reader in self.readers:
            reader.wake()

    def _forget(self) -> None:
        """Down to half, so that a list is moved seldom."""
        count = 0
        while self._memory > MOST_KEPT // 2:
            self._memory -= self._frames[count].memory
            count += 1
        del self._frames[:count]

    def after(self, number: int) -> Sequence[NewFrame]:
        """Some that follow the frame of this number; none when the next one is not here."""
        with self._lock:
            first = self._frames[0].number if self._frames else 0
            start = number + 1 - first
            if start < 0:
                return ()
            end, memory = start, 0
            while end < len(self._frames) and memory < MOST_TAKEN:
                memory += self._frames[end].memory
                end += 1
            return self._frames[start:end]


class Feed:
    """Who reads which request's frames in this process."""

    def __init__(self) -> None:
        self._read: dict[int, Newest] = {}
        self._lock = threading.Lock()

    def publish(self, pk: int, frames: Sequence[NewFrame]) -> None:
        """Hand the frames, numbered in a row, to whoever reads; never waits."""
        if newest := self._read.get(pk):
            newest.add(frames)

    @contextmanager
    def reader(self, pk: int, wake: Callable[[], None]) -> Iterator[Reader]:
        """Read the request's frames while the block lasts (on a running loop)."""
        with self._lock:
            newest = self._read.setdefault(pk, Newest())
            reader = Reader(newest, wake)
            newest.readers = (*newest.readers, reader)
        try:
            yield reader
        finally:
            with self._lock:
                newest.readers = tuple(other for other in newest.readers if other is not reader)
                if not newest.readers:
                    del self._read[pk]


feed = Feed()
