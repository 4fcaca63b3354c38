"""What a model is to the sandbox: typed input and output, and functions that do the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel


class Cancelled(Exception):
    """A model that obeys cancellation stops with this; the caller gets a 499."""


class ModelError(Exception):
    """A model refuses its input: `detail` is a sentence or a list of {loc, msg, type}."""

    def __init__(self, status_code: int, detail: object) -> None:
        super().__init__(detail)
        self.status_code = status_code
        self.detail = detail


@dataclass
class Context:
    """The platform as a running model sees it."""

    request_id: str
    log: Callable[[str, str], None]
    """Writes one line: message, level."""
    save: Callable[[str, str, bytes], str]
    """Keeps a file: name, content type, bytes; returns its URL."""
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        """Waits, but not past a cancellation: raises Cancelled then."""
        try:
            async with asyncio.timeout(seconds):
                await self.cancelled.wait()
        except TimeoutError:
            return
        raise Cancelled


Run = Callable[[Any, Context], Awaitable[BaseModel]]
Stream = Callable[[Any, Context], AsyncIterator[BaseModel]]
Realtime = Callable[[dict[str, Any]], AsyncIterator[dict[str, Any]]]


@dataclass(frozen=True)
class Endpoint:
    """`capacity` is how many queued requests run at once. Runs and streams do not queue."""

    id: str
    title: str
    description: str
    input: type[BaseModel]
    output: type[BaseModel]
    run: Run
    stream: Stream | None = None
    realtime: Realtime | None = None
    capacity: int = 4
    obeys_cancel: bool = False
