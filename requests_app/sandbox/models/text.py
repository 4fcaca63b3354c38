"""`sandbox/text`: writes a text, in one piece or word by word."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from typing import Literal

from pydantic import BaseModel, Field

from .base import Context, Endpoint

SENTENCE = (
    "the harbour light turns slowly while small boats wait and gulls argue over bread a child"
    " counts waves nobody hurries and the evening smells of salt rope coffee and warm stone"
)


class TextInput(BaseModel):
    prompt: str = Field(
        "Tell me about the harbour", max_length=4000, description="What to write about."
    )
    words: int = Field(40, ge=1, le=5000, description="Length of the answer.", examples=[40])
    delay_s: float = Field(0.05, ge=0, le=10, description="Pause between words, in seconds.")
    mode: Literal["cumulative", "delta"] = Field(
        "cumulative", description="What each event carries: the whole text so far, or the new word."
    )


class TextOutput(BaseModel):
    output: str
    partial: bool = Field(default=False, description="Whether more follows.")


def write(prompt: str, words: int) -> list[str]:
    """The same prompt gives the same text. Every word but the first carries its space."""
    chosen = random.Random(hashlib.sha256(prompt.encode()).digest())  # noqa: S311
    vocabulary = SENTENCE.split()
    text = [chosen.choice(vocabulary) for _ in range(words)]
    text[0] = text[0].capitalize()
    return [text[0], *(f" {word}" for word in text[1:])]


async def run(given: TextInput, context: Context) -> TextOutput:
    pieces = write(given.prompt, given.words)
    context.log(f"Writing {given.words} words", "INFO")
    await asyncio.sleep(min(given.delay_s * given.words, 60))
    return TextOutput(output="".join(pieces) + ".")


async def stream(given: TextInput, _context: Context) -> AsyncIterator[TextOutput]:
    whole = ""
    for piece in write(given.prompt, given.words):
        whole += piece
        yield TextOutput(output=whole if given.mode == "cumulative" else piece, partial=True)
        await asyncio.sleep(given.delay_s)
    yield TextOutput(output=whole + "." if given.mode == "cumulative" else ".", partial=False)


ENDPOINTS = [
    Endpoint(
        id="sandbox/text",
        title="Text",
        description="Writes word by word at /stream, or all at once.",
        input=TextInput,
        output=TextOutput,
        run=run,
        stream=stream,
    )
]
