"""`sandbox/crash`: fails with a server error, as a model with a bug does."""

from __future__ import annotations

from pydantic import BaseModel, Field

from .base import Context, Endpoint


class CrashInput(BaseModel):
    message: str = Field(
        "out of memory", max_length=500, description="What the log says about the crash."
    )
    after_s: float = Field(0.2, ge=0, le=600, description="Seconds until it crashes.")


class CrashOutput(BaseModel):
    never: str = Field(description="No output is ever made.")


async def run(given: CrashInput, context: Context) -> CrashOutput:
    context.log("Starting", "INFO")
    await context.sleep(given.after_s)
    raise RuntimeError(given.message)


ENDPOINTS = [
    Endpoint(
        id="sandbox/crash",
        title="Crash",
        description="Always ends with status 500.",
        input=CrashInput,
        output=CrashOutput,
        run=run,
    )
]
