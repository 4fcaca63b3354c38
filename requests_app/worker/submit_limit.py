"""Limit concurrent submits: few until fal answers, one more with each answer.

A submit that meets an outage ends as uncertain and needs a user's attention. A worker that starts during
an outage with a thousand waiting rows must risk only a handful of them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

FEW = 4
MOST = 64


class SubmitLimit:
    """A semaphore whose size grows with success and shrinks after a failure. For one event loop."""

    def __init__(self) -> None:
        self.size = FEW
        self._surplus = 0  # places that are removed when they are released
        self._places = asyncio.Semaphore(FEW)

    @asynccontextmanager
    async def place(self, is_well: Callable[[], bool]) -> AsyncIterator[None]:
        """Wait for a place. At the end of the block `is_well` says whether fal answered."""
        async with self._held():
            yield
            if is_well():
                self._grow()
            else:
                self._surplus = self.size - FEW

    @asynccontextmanager
    async def _held(self) -> AsyncIterator[None]:
        await self._places.acquire()
        try:
            yield
        finally:
            if self._surplus:
                self._surplus -= 1
                self.size -= 1
            else:
                self._places.release()

    def _grow(self) -> None:
        self._surplus = 0
        if self.size < MOST:
            self.size += 1
            self._places.release()
