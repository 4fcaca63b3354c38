"""`fal-ai/any-llm`: the shape of a public language model, for fal's own client tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

from pydantic import BaseModel, Field

from . import text
from .base import Context, Endpoint

WORDS = 12


class AnyLlmInput(BaseModel):
    prompt: str = Field(description="What to answer.", examples=["Tell me a joke"])
    model: str = Field("google/gemini-flash-1.5", description="Accepted, and makes no difference.")


class AnyLlmOutput(BaseModel):
    output: str
    partial: bool = False
    error: str | None = None


async def run(given: AnyLlmInput, _context: Context) -> AnyLlmOutput:
    return AnyLlmOutput(output="".join(text.write(given.prompt, WORDS)) + ".")


async def stream(given: AnyLlmInput, context: Context) -> AsyncIterator[AnyLlmOutput]:
    wanted = text.TextInput(prompt=given.prompt, words=WORDS, delay_s=0.01, mode="cumulative")
    async for event in text.stream(wanted, context):
        yield AnyLlmOutput(output=event.output, partial=event.partial)


ENDPOINTS = [
    Endpoint(
        id="fal-ai/any-llm",
        title="Any LLM (imitation)",
        description="Answers in the shape of fal-ai/any-llm; the text is made up on this machine.",
        input=AnyLlmInput,
        output=AnyLlmOutput,
        run=run,
        stream=stream,
    )
]
