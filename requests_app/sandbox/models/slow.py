"""`sandbox/slow`: works in steps, says so in its log, and makes others wait in line."""

from __future__ import annotations

import asyncio

from pydantic import BaseModel, Field

from .base import Context, Endpoint


class SlowInput(BaseModel):
    steps: int = Field(5, ge=1, le=500, description="How many steps to work through.", examples=[5])
    seconds_per_step: float = Field(
        0.6, ge=0, le=60, description="How long each step takes, in seconds.", examples=[0.6]
    )


class SlowOutput(BaseModel):
    steps: int = Field(description="Steps done.")
    seconds: float = Field(description="Time taken, in seconds.")
    summary: str


async def run(given: SlowInput, context: Context) -> SlowOutput:
    clock = asyncio.get_running_loop().time
    began = clock()
    context.log("Loading weights", "INFO")
    for step in range(1, given.steps + 1):
        await asyncio.sleep(given.seconds_per_step)
        context.log(f"Step {step}/{given.steps}: {100 * step // given.steps} %", "INFO")
    seconds = round(clock() - began, 3)
    return SlowOutput(
        steps=given.steps, seconds=seconds, summary=f"{given.steps} steps in {seconds:.1f} s"
    )


ENDPOINTS = [
    Endpoint(
        id="sandbox/slow",
        title="Slow work",
        description="A few seconds of steps with log lines. Two run at once, the others queue. "
        "Once started it does not listen to cancellation.",
        input=SlowInput,
        output=SlowOutput,
        run=run,
        capacity=2,
    )
]
