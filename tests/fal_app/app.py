"""A real ``fal.App``, small and quick. ``fal run --local`` serves it; our own code never imports it.

What happens inside is printed as ``witness: …``, for tests that ask whether a hang-up arrived.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import fal
from fal.toolkit import Image
from fastapi.responses import StreamingResponse
from PIL import Image as Picture
from pydantic import BaseModel, Field


class Prompt(BaseModel):
    prompt: str = Field(min_length=1)
    steps: int = Field(default=1, ge=1, le=50)
    seconds: float = Field(default=0, ge=0, le=60, description="how long the work takes")


class Answer(BaseModel):
    text: str
    images: list[Image]


class Story(BaseModel):
    name: str = "story"
    count: int = Field(default=5, ge=1, le=1000)
    delay_s: float = Field(default=0.01, ge=0, le=60)
    fail_at: int | None = Field(default=None, description="the event before which it fails")
    is_marked: bool = Field(default=False, description="each event but the last says it is partial")


class Number(BaseModel):
    number: int = Field(ge=0)


class Counted(BaseModel):
    number: int
    of: int


class Workshop(fal.App):
    """Everything a caller meets, and nothing that needs an account or the network."""

    keep_alive = 1

    @fal.endpoint("/")
    async def run(self, prompt: Prompt) -> Answer:
        return await answer(prompt)

    # Mounted below a path, the local server redirects the bare path to "…/", which a careful
    # client does not follow with a POST. fal's gateway strips the path and has no such redirect.
    @fal.endpoint("")
    async def run_bare(self, prompt: Prompt) -> Answer:
        return await answer(prompt)

    @fal.endpoint("/raise")
    async def fail(self, prompt: Prompt) -> Answer:
        raise RuntimeError(f"no idea what {prompt.prompt!r} should be")

    @fal.endpoint("/slash/")
    async def run_behind_a_slash(self, prompt: Prompt) -> Answer:
        print(f"witness: {prompt.prompt} ran", flush=True)
        return await answer(prompt)

    @fal.endpoint("/stream")
    async def stream(self, story: Story) -> StreamingResponse:
        return StreamingResponse(told(story), media_type="text/event-stream")

    @fal.realtime("/realtime", session_timeout=5)
    async def echo(self, number: Number) -> Number:
        return number

    @fal.realtime("/realtime/any", session_timeout=5)
    async def any(self, message: Any) -> Any:
        return message

    @fal.realtime("/realtime/count", session_timeout=0.5)
    async def count(self, number: Number) -> AsyncIterator[Counted]:
        for each in range(number.number):
            yield Counted(number=each, of=number.number)

    @fal.realtime("/realtime/tell", session_timeout=30)
    async def tell(self, story: Story) -> AsyncIterator[Number]:
        for number in range(1, story.count + 1):
            print(f"witness: {story.name} said {number}", flush=True)
            yield Number(number=number)
            await asyncio.sleep(story.delay_s)

    @fal.realtime("/realtime/raise", session_timeout=5)
    async def stumble(self, number: Number) -> Number:
        raise RuntimeError(f"cannot count to {number.number}")

    @fal.realtime("/realtime/idle", session_timeout=0.2)
    async def idle(self, number: Number) -> Number:
        return number


async def answer(prompt: Prompt) -> Answer:
    """The same words again, and a square as large as the number of steps."""
    print(f"painting {prompt.prompt}", flush=True)
    await asyncio.sleep(prompt.seconds)
    square = Picture.new("RGB", (prompt.steps, prompt.steps), "teal")
    image = Image.from_pil(square, format="png", repository="in_memory")
    return Answer(text=prompt.prompt, images=[image])


async def told(story: Story) -> AsyncIterator[str]:
    """One event after the other; says on the way out how it was left."""
    how = "hung up"
    try:
        for number in range(1, story.count + 1):
            if number == story.fail_at:
                how = "failed"
                raise RuntimeError("the story breaks off")
            event = {"number": number}
            if story.is_marked:
                event["partial"] = number < story.count
            yield f"event: word\nid: {number}\ndata: {json.dumps(event)}\n\n"
            await asyncio.sleep(story.delay_s)
        how = "finished"
    finally:
        print(f"witness: {story.name} {how}", flush=True)
