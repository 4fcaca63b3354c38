"""What a model is to the sandbox: typed input and output, and functions that do the work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
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
    file: Callable[[str], tuple[str, bytes] | None] = lambda _name: None
    """A kept file by its name: content type, bytes."""
    pace: float = 1.0
    """Multiplies the time that made-up work takes."""
    units: float = 1.0
    """What the run is billed for, in the endpoint's unit; the model sets it."""

    async def work(self, steps: int, seconds: float, what: str = "steps") -> None:
        """Pretends to work, with a log line for each step. Raises Cancelled."""
        for step in range(1, steps + 1):
            await self.sleep(seconds * self.pace / steps)
            self.log(f"{100 * step // steps:3d}% | {step}/{steps} {what}", "INFO")

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
    category: str = "sandbox"
    about: str = ""
    """Markdown: what the author says about the endpoint at length."""
    nullable: bool = True
    """Whether the document says `anyOf […, null]`, as newer endpoints do; older ones leave null out."""
    openapi: str = "3.0.4"
    names: Mapping[str, str] = field(default_factory=dict)
    """Other names for shared schemas in the document: a class's name to the one shown."""
