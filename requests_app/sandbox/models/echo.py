"""`sandbox/echo`: gives back what it gets; over a websocket at /realtime, too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from .base import Context, Endpoint


class EchoInput(BaseModel):
    model_config = ConfigDict(extra="allow")

    message: str = Field("hello", description="Comes back unchanged.")
    number: float | None = Field(None, description="Comes back doubled as well.")
    delay_s: float = Field(0.0, ge=0, le=60, description="Seconds before the answer.")
    outputs: int = Field(1, ge=1, le=1000, description="Realtime: answers to this one input.")
    error: str | None = Field(None, description="Realtime: fail with this text.")


class EchoOutput(BaseModel):
    model_config = ConfigDict(extra="allow")

    message: str
    number: float | None = None
    doubled: float | None = None


def _twice(number: float | None) -> float | None:
    return None if number is None else number * 2


async def run(given: EchoInput, context: Context) -> EchoOutput:
    context.log("Echoing", "INFO")
    await asyncio.sleep(given.delay_s)
    return EchoOutput(
        message=given.message,
        number=given.number,
        doubled=_twice(given.number),
        **(given.model_extra or {}),
    )


async def realtime(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    """Every other member, bytes included, comes back as it was, with `index` counting answers.

    Raises when asked to (`error`) and for members of the wrong kind.
    """
    given = EchoInput.model_validate(message)
    if given.error is not None:
        raise RuntimeError(given.error)
    for index in range(given.outputs):
        await asyncio.sleep(given.delay_s)
        yield {**message, "doubled": _twice(given.number), "index": index}


ENDPOINTS = [
    Endpoint(
        id="sandbox/echo",
        title="Echo",
        description="Gives back its input. Realtime (msgpack) at /realtime.",
        input=EchoInput,
        output=EchoOutput,
        run=run,
        realtime=realtime,
        capacity=16,
    )
]
