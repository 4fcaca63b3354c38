"""How many submits are under way at once: few until fal answers, more with each answer.

A submit that meets an outage is uncertain, and a person has to look at it. A worker that starts in an
outage with a thousand waiting rows is to risk a handful of them, not as many as it can send at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

FEW = 4
MOST = 64


class Ramp:
    """Places for submits. Of one event loop."""

    def __init__(self) -> None:
        self.size = FEW
        self._surplus = 0  # places that vanish when they are left
        self._places = asyncio.Semaphore(FEW)

    @asynccontextmanager
    async def place(self, is_well: Callable[[], bool]) -> AsyncIterator[None]:
        """Wait for a place; when it is left, `is_well` says whether fal answers."""
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
