"""`sandbox/large`: an output of the size that is asked for."""

from __future__ import annotations

from pydantic import BaseModel, Field

from .base import Context, Endpoint

LINE = "The quick brown fox jumps over the lazy dog and keeps on running. "


class LargeInput(BaseModel):
    kilobytes: int = Field(
        100, ge=1, le=65536, description="Size of the text in the output, in kB.", examples=[100]
    )


class LargeOutput(BaseModel):
    kilobytes: int
    text: str


async def run(given: LargeInput, context: Context) -> LargeOutput:
    size = given.kilobytes * 1000
    context.log(f"Writing {given.kilobytes} kB", "INFO")
    return LargeOutput(kilobytes=given.kilobytes, text=(LINE * (size // len(LINE) + 1))[:size])


ENDPOINTS = [
    Endpoint(
        id="sandbox/large",
        title="Large output",
        description="Answers with as many kilobytes as asked for.",
        input=LargeInput,
        output=LargeOutput,
        run=run,
    )
]
