"""`sandbox/vision/chat`: answers questions about a picture, word by word at /stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import Field

from . import text
from .base import Context, Endpoint
from .files import check_media
from .shapes import SAMPLES, Shape


class Region(Shape):
    x_min: float = Field(ge=0, le=1)
    y_min: float = Field(ge=0, le=1)
    x_max: float = Field(ge=0, le=1)
    y_max: float = Field(ge=0, le=1)


class VisionInput(Shape):
    image_url: str = Field(examples=[f"{SAMPLES}/boats-on-a-lake.jpg"])
    prompt: str = Field(examples=["How many boats are there?"])
    task_type: Literal["caption", "query", "point"] = "query"
    spatial_refs: list[Region | list[float]] | None = Field(
        None, description="Boxes, or points as [x, y], from 0 to 1."
    )
    stop: list[str] = Field([], description="Texts that end the answer.", max_length=4)
    temperature: float | None = Field(None, ge=0, le=1)
    max_tokens: int = Field(40, ge=1, le=400)


class VisionOutput(Shape):
    output: str = Field(description="The answer.")
    finish_reason: str
    partial: bool = False


async def run(given: VisionInput, context: Context) -> VisionOutput:
    check_media(given.image_url, context, "image_url")
    await context.work(2, 1)
    said = "".join(text.write(given.prompt + given.image_url, given.max_tokens)) + "."
    return VisionOutput(output=said, finish_reason="stop")


async def stream(given: VisionInput, context: Context) -> AsyncIterator[VisionOutput]:
    said = ""
    for piece in text.write(given.prompt + given.image_url, given.max_tokens):
        said += piece
        yield VisionOutput(output=said, finish_reason="", partial=True)
        await asyncio.sleep(0.05 * context.pace)
    yield VisionOutput(output=said + ".", finish_reason="stop")


ENDPOINTS = [
    Endpoint(
        id="sandbox/vision/chat", title="Vision lookalike", category="vision",
        description="Answers questions about a picture. The answer is made up.",
        input=VisionInput, output=VisionOutput, run=run, stream=stream,
    )
]  # fmt: skip
