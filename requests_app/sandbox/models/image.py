"""`sandbox/image`: paints a landscape that follows from prompt, size and seed."""

from __future__ import annotations

import asyncio
import secrets
import time

from pydantic import BaseModel, Field

from .base import Context, Endpoint
from .shapes import MAX_SEED, PRESETS, Preset


class ImageSize(BaseModel):
    width: int = Field(1024, ge=64, le=2048)
    height: int = Field(768, ge=64, le=2048)


class ImageInput(BaseModel):
    prompt: str = Field(
        max_length=4000,
        description="What to paint. Words such as night, sea, desert, forest, snow, sunset set the mood.",
        examples=["a lighthouse by the sea at sunset"],
    )
    image_size: ImageSize | Preset = Field("landscape_4_3", description="Size of the image.")
    seed: int | None = Field(None, ge=0, le=MAX_SEED, description="Same seed, same image.")
    num_images: int = Field(1, ge=1, le=4, description="How many to make.")
    num_inference_steps: int = Field(12, ge=1, le=50, description="Log lines it takes, 0.1 s each.")


class Image(BaseModel):
    url: str
    width: int
    height: int
    content_type: str = "image/png"


class ImageOutput(BaseModel):
    images: list[Image]
    timings: dict[str, float]
    seed: int
    prompt: str
    has_nsfw_concepts: list[bool]


def pixels(size: ImageSize | Preset) -> tuple[int, int]:
    return (size.width, size.height) if isinstance(size, ImageSize) else PRESETS[size]


async def paint(prompt: str, size: tuple[int, int], seed: int, context: Context) -> Image:
    from .landscape import png  # Pillow costs megabytes and time to import

    data = await asyncio.to_thread(png, prompt, size, seed)
    url = context.save(f"{context.request_id}-{seed}.png", "image/png", data)
    return Image(url=url, width=size[0], height=size[1])


async def run(given: ImageInput, context: Context) -> ImageOutput:
    began = time.perf_counter()
    seed = given.seed if given.seed is not None else secrets.randbelow(MAX_SEED)
    size = pixels(given.image_size)
    for step in range(1, given.num_inference_steps + 1):
        await asyncio.sleep(0.1)
        context.log(f"{step}/{given.num_inference_steps} steps", "INFO")
    images = [
        await paint(given.prompt, size, seed + number, context)
        for number in range(given.num_images)
    ]
    timings = {"inference": round(time.perf_counter() - began, 4)}
    nothing_bad = [False] * len(images)
    return ImageOutput(
        images=images, timings=timings, seed=seed, prompt=given.prompt,
        has_nsfw_concepts=nothing_bad,
    )  # fmt: skip


ENDPOINTS = [
    Endpoint(
        id="sandbox/image",
        title="Image",
        description="Paints a landscape on this machine: a real PNG.",
        input=ImageInput,
        output=ImageOutput,
        run=run,
        capacity=2,
    )
]
