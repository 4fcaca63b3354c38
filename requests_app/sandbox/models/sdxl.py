"""`fal-ai/fast-sdxl` and its image-to-image: the public shapes, for fal's own client tests."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import secrets
import time

from pydantic import BaseModel, Field

from .base import Context, Endpoint, ModelError
from .image import ImageOutput, ImageSize, paint, pixels
from .shapes import MAX_SEED, Preset

DEFAULT_SIZE = (512, 512)
MAX_SIDE = 2048


class FastSdxlInput(BaseModel):
    prompt: str = Field(max_length=4000, examples=["a cat"])
    seed: int | None = Field(None, ge=0, le=MAX_SEED)
    image_size: ImageSize | Preset = Field("square")


class ImageToImageInput(BaseModel):
    image_url: str = Field(
        description="An http(s) URL or a data URI.",
        examples=["{base_url}/cdn/samples/harbour-in-the-morning.jpg"],
    )
    prompt: str = Field(max_length=4000, examples=["an orange cat"])
    seed: int | None = Field(None, ge=0, le=MAX_SEED)


async def text_to_image(given: FastSdxlInput, context: Context) -> ImageOutput:
    return await _paint(given.prompt, pixels(given.image_size), given.seed, context)


async def image_to_image(given: ImageToImageInput, context: Context) -> ImageOutput:
    """Keeps the size of an inline image. An image behind a URL is not fetched."""
    size = await asyncio.to_thread(_size_of, given.image_url)
    return await _paint(given.prompt, size, given.seed, context)


async def _paint(
    prompt: str, size: tuple[int, int], seed: int | None, context: Context
) -> ImageOutput:
    began = time.perf_counter()
    seed = seed if seed is not None else secrets.randbelow(MAX_SEED)
    context.log(f"Painting {size[0]}x{size[1]}", "INFO")
    image = await paint(prompt, size, seed, context)
    timings = {"inference": round(time.perf_counter() - began, 4)}
    return ImageOutput(
        images=[image], timings=timings, seed=seed, prompt=prompt, has_nsfw_concepts=[False]
    )


def _size_of(url: str) -> tuple[int, int]:
    match = re.match(r"data:image/[\w.+-]+;base64,", url)
    if match is None:
        return DEFAULT_SIZE
    from PIL import Image, UnidentifiedImageError  # megabytes, and only needed here

    try:
        with Image.open(io.BytesIO(base64.b64decode(url[match.end() :]))) as image:
            width, height = image.size
    except (ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        raise _bad_image("image_load_error", "Failed to load the image.") from None
    if max(width, height) > MAX_SIDE:
        raise _bad_image("image_too_large", f"No side may exceed {MAX_SIDE} pixels.")
    return width, height


def _bad_image(kind: str, message: str) -> ModelError:
    return ModelError(422, [{"loc": ["body", "image_url"], "msg": message, "type": kind}])


ENDPOINTS = [
    Endpoint(
        id="fal-ai/fast-sdxl",
        title="Fast SDXL (imitation)",
        description="Answers in the shape of fal-ai/fast-sdxl; the image is made on this machine.",
        input=FastSdxlInput,
        output=ImageOutput,
        run=text_to_image,
    ),
    Endpoint(
        id="fal-ai/fast-sdxl/image-to-image",
        title="Fast SDXL image to image (imitation)",
        description="As fal-ai/fast-sdxl, in the size of the given image.",
        input=ImageToImageInput,
        output=ImageOutput,
        run=image_to_image,
    ),
]
