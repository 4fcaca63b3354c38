"""Frames in memory, for readers in this process.

The newest come from the recorder when it runs in this process, before they are on disk; pages that
one reader has read from the database are shared with the others. This is a cache: what is not here
is in the database. Frames are numbered, so a reader knows whether it has missed one.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from requests_app.record.frame import NewFrame, memory_of

# bytes of the newest frames, and as many of pages read from the database
MOST_KEPT = 4 * 1024 * 1024
MOST_TAKEN = 128 * 1024  # bytes in one batch, which a stalled reader keeps in memory
MOST_PAGES = 64

Frames = Sequence[NewFrame]


class Reader:
    """One reader of a request's frames; `wake` is called on the reader's own loop."""

    def __init__(self, shelf: Shelf, wake: Callable[[], None]) -> None:
        self.keep = shelf.keep
        self._shelf = shelf
        self._wake = wake
        self._loop = asyncio.get_running_loop()
        self._is_woken = False

    def wake(self) -> None:
        """Wake the reader, from any thread: there are frames to take."""
        if self._is_woken:
            return
        self._is_woken = True
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the reader's loop has been closed
            return

    def take(self, after: int) -> Frames:
        """Return some frames that follow frame `after` without a gap; ask again until there are
        none.
        """
        self._is_woken = False  # before reading: what comes meanwhile wakes us again
        return self._shelf.after(after)


class Shelf:
    """The frames of one request, shared by all its readers: they take memory once."""

    def __init__(self) -> None:
        self.readers: tuple[Reader, ...] = ()
        self._lock = threading.Lock()
        self._newest: list[NewFrame] = []
        self._newest_bytes = 0
        self._pages: deque[Frames] = deque()
        self._pages_bytes = 0

    def add(self, frames: Frames) -> None:
        """Add the newest frames, numbered without a gap; from any thread."""
        with self._lock:
            if self._newest and self._newest[-1].number + 1 != frames[0].number:
                self._newest, self._newest_bytes = [], 0
            self._newest += frames
            self._newest_bytes += memory_of(frames)
            if self._newest_bytes > MOST_KEPT:
                self._make_room()
        for reader in self.readers:
            reader.wake()

    def _make_room(self) -> None:
        """Drop frames down to half the limit, so that the list is rarely moved."""
        count = 0
        while self._newest_bytes > MOST_KEPT // 2 and count < len(self._newest) - 1:
            self._newest_bytes -= self._newest[count].memory
            count += 1
        del self._newest[:count]

    def keep(self, page: Frames) -> None:
        """Keep a page read from the database for the other readers; from any thread."""
        with self._lock:
            self._pages.append(page)
            self._pages_bytes += memory_of(page)
            while self._pages_bytes > MOST_KEPT or len(self._pages) > MOST_PAGES:
                self._pages_bytes -= memory_of(self._pages.popleft())

    def after(self, number: int) -> Frames:
        """Return a batch that follows the frame of this number; empty when the next one is not
        here.
        """
        with self._lock:
            for frames in (self._newest, *self._pages):
                if found := _following(frames, number):
                    return found
        return ()


def _following(frames: Frames, number: int) -> Frames:
    start = end = number + 1 - frames[0].number if frames else -1
    if not 0 <= start < len(frames) or frames[start].number != number + 1:
        return ()
    memory = 0
    while end < len(frames) and memory < MOST_TAKEN:
        memory += frames[end].memory
        end += 1
    return frames[start:end]


class Feed:
    """The readers of each request's frames in this process."""

    def __init__(self) -> None:
        self._read: dict[int, Shelf] = {}
        self._lock = threading.Lock()

    def publish(self, pk: int, frames: Sequence[NewFrame]) -> None:
        """Pass the frames, numbered without a gap, to all readers; never waits."""
        if shelf := self._read.get(pk):
            shelf.add(frames)

    @contextmanager
    def reader(self, pk: int, wake: Callable[[], None]) -> Iterator[Reader]:
        """Read the request's frames while the block lasts (on a running loop)."""
        with self._lock:
            shelf = self._read.setdefault(pk, Shelf())
            reader = Reader(shelf, wake)
            shelf.readers = (*shelf.readers, reader)
        try:
            yield reader
        finally:
            with self._lock:
                shelf.readers = tuple(other for other in shelf.readers if other is not reader)
                if not shelf.readers:
                    del self._read[pk]


feed = Feed()
