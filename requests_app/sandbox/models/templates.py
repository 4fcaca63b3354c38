"""`sandbox/template-to-video`: one of 181 templates."""

from __future__ import annotations

from enum import StrEnum
from itertools import product
from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import clips

from .base import Context, Endpoint
from .files import in_thread, keep_video, picture, seed_of
from .shapes import SAMPLES, Shape, VideoOutput

_MOODS = ("gentle", "wild", "slow", "electric", "paper", "golden", "frozen", "neon", "quiet", "giant",
          "tiny", "velvet", "rainy", "cosmic", "clay", "wooden", "glass", "festive", "retro", "windy")  # fmt: skip
_MOVES = (
    "hug",
    "dance",
    "zoom_out",
    "flight",
    "dive",
    "portrait",
    "parade",
    "transformation",
    "walk",
)
NAMES = [f"{mood}_{move}" for mood, move in product(_MOODS, _MOVES)] + ["spirit_animal"]
Template = StrEnum("Template", {name.upper(): name for name in NAMES})  # type: ignore[misc]


class TemplateInput(Shape):
    template: Template = Field(
        description="Which of the templates to use.", examples=["gentle_dance"]
    )
    input_image_urls: list[str] = Field(
        description="Pictures that the template is filled with.", min_length=1, max_length=3,
        examples=[[f"{SAMPLES}/a-mountain-in-the-evening.jpg"]],
    )  # fmt: skip
    prompt: str | None = Field(None, max_length=1500, description="Left out: the template's own.")
    aspect_ratio: Literal["16:9", "9:16", "1:1"] = "16:9"
    seed: int | None = None


async def run(given: TemplateInput, context: Context) -> VideoOutput:
    first = await picture(given.input_image_urls[0], context, "input_image_urls", 0)
    await context.work(8, 4, "frames")
    made = await in_thread(clips.move, first, None, 4)
    context.units = 4
    return VideoOutput(video=keep_video(made, context, clips.FPS), seed=seed_of(given.seed))


ENDPOINTS = [
    Endpoint(
        id="sandbox/template-to-video", title="Templates lookalike", category="image-to-video",
        description="Fills one of 181 templates with pictures.",
        input=TemplateInput, output=VideoOutput, run=run,
    )
]  # fmt: skip
