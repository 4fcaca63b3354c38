"""Text to image: four endpoints as fal's authors write them, from plain to nested."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import pictures

from .base import Context, Endpoint
from .files import check_media, in_thread, keep_image, seed_of
from .shapes import SAMPLES, ImageSize, ImagesOutput, Preset, Shape, pixels, ui

PROMPT = "a lighthouse by the sea at dusk, waves against the rocks"
Format = Literal["jpeg", "png"]


class BaseInput(Shape):
    """Text to image with the usual controls."""

    prompt: str = Field(description="What to make, in plain words.", examples=[PROMPT])
    image_size: ImageSize | Preset = Field(
        "landscape_4_3", description="A preset, or a width and a height in pixels."
    )
    num_inference_steps: int = Field(
        28, ge=1, le=50, description="More steps take longer and usually give finer detail."
    )
    seed: int | None = Field(
        None, description="The same seed and the same input give the same picture."
    )
    guidance_scale: float = Field(
        3.5, ge=1, le=20, title="Guidance scale (CFG)",
        description="How closely to follow the prompt. CFG stands for\n    *Classifier Free Guidance*.",
    )  # fmt: skip
    sync_mode: bool = Field(default=False, description="Return the pictures as data URIs.")
    num_images: int = Field(1, ge=1, le=4, description="How many pictures to make.")
    enable_safety_checker: bool = Field(default=True, description="Check the output.")
    output_format: Format = Field("jpeg", description="File type of the pictures.")
    acceleration: Literal["none", "regular", "high"] = Field(
        "none", description="Trade quality for speed."
    )


class LoraWeight(Shape):
    path: str = Field(
        description="Address or hub path of the weights.", examples=[f"{SAMPLES}/ink.safetensors"]
    )
    scale: float = Field(1, ge=0, le=4, description="Strength of the weights.")


class ControlNet(Shape):
    path: str = Field(description="Address or hub path of the weights.")
    control_image_url: str = Field(description="The picture that steers.")
    conditioning_scale: float = Field(1, ge=0, le=2, description="Strength.")
    start_percentage: float = Field(0, ge=0, le=1)
    end_percentage: float = Field(1, ge=0, le=1)


class IPAdapter(Shape):
    path: str = Field(description="Address or hub path of the weights.")
    image_url: str = Field(description="The picture to take the style from.")
    mask_image_url: str | None = Field(None, description="White is where the style goes.")
    mask_threshold: float = Field(0.5, ge=0.01, le=0.99)
    scale: float = Field(description="Strength.")


class LoraInput(Shape):
    prompt: str = Field(description="What to make, in plain words.", examples=[PROMPT])
    negative_prompt: str = Field("", description="What should not appear.")
    image_size: ImageSize | Preset | None = Field(None, description="Left out: landscape_4_3.")
    num_inference_steps: int = Field(28, ge=1, le=50)
    seed: int | None = Field(None, description="The same seed gives the same picture.")
    loras: list[LoraWeight] = Field(
        [], description="The LoRAs to add. They are applied\n            in their order.\n        "
    )
    controlnet: ControlNet | None = Field(
        None, description="\n            A model that steers the shape.\n        "
    )
    ip_adapter: IPAdapter | None = None
    guidance_scale: float = Field(3.5, ge=0, le=35)
    num_images: int = Field(1, ge=1, le=4)
    output_format: Format = "jpeg"
    sync_mode: bool = False


class UltraInput(Shape):
    prompt: str = Field(min_length=1, examples=[PROMPT])
    seed: int | None = None
    aspect_ratio: (
        Literal["21:9", "16:9", "4:3", "3:2", "1:1", "2:3", "3:4", "9:16", "9:21"] | str
    ) = Field("16:9", description="A listed shape, or any other as `width:height`.")
    image_url: str | None = Field(None, description="A picture to be guided by.")
    image_prompt_strength: float = Field(0.1, ge=0, le=1)
    safety_tolerance: Literal["1", "2", "3", "4", "5", "6"] = Field(
        "2", description="1 is the strictest, 6 the most lenient. API only.",
        json_schema_extra=ui(important=False),
    )  # fmt: skip
    output_format: Format = "jpeg"
    raw: bool = Field(default=False, description="Less processed, more natural.")


class DreamInput(Shape):
    """Pictures of up to 4K."""

    prompt: str = Field(max_length=5000, examples=["a wide desert canyon in the morning"])
    image_size: ImageSize | Literal[
        "square_hd", "square", "portrait_4_3", "landscape_4_3", "auto", "auto_2K", "auto_4K"
    ] = Field(
        default_factory=lambda: ImageSize(width=2048, height=2048),
        description="Width and height between 1024 and 4096, or a preset.",
        json_schema_extra={
            "default": {"width": 2048, "height": 2048}, "examples": ["auto_2K"],
            **ui(important=True, limits={"min_width": 1024, "max_width": 4096, "multiple_of": 8}),
        },
    )  # fmt: skip
    num_images: int = Field(1, ge=1, le=6, description="Runs of the model.")
    max_images: int = Field(1, ge=1, le=6, description="Pictures of each run, at most.")
    seed: int | None = None
    sync_mode: bool = False
    enable_safety_checker: bool = Field(default=True, examples=[True])
    enhance_prompt_mode: Literal["standard", "fast", "None"] = "standard"


async def dev(given: BaseInput, context: Context) -> ImagesOutput:
    await context.work(given.num_inference_steps, 2.5)
    return await _images(
        given.prompt, pixels(given.image_size), given.seed, context,
        count=given.num_images, kind=given.output_format, inline=given.sync_mode,
    )  # fmt: skip


async def lora(given: LoraInput, context: Context) -> ImagesOutput:
    for number, weight in enumerate(given.loras):
        if weight.path.startswith(("http", "data:")):
            check_media(weight.path, context, "loras", number, "path")
        context.log(f"Loading LoRA {weight.path[:100]} at {weight.scale:g}", "INFO")
    for name in ("controlnet", "ip_adapter"):
        if (part := getattr(given, name)) is not None:
            field = "control_image_url" if name == "controlnet" else "image_url"
            check_media(getattr(part, field), context, name, field)
    await context.work(given.num_inference_steps, 3)
    prompt = f"{given.prompt} {len(given.loras)}" if given.loras else given.prompt
    return await _images(
        prompt, pixels(given.image_size), given.seed, context,
        count=given.num_images, kind=given.output_format, inline=given.sync_mode,
    )  # fmt: skip


async def ultra(given: UltraInput, context: Context) -> ImagesOutput:
    if given.image_url is not None:
        check_media(given.image_url, context, "image_url")
    await context.work(4, 2)
    size = _of_ratio(given.aspect_ratio)
    return await _images(given.prompt, size, given.seed, context, kind=given.output_format)


async def dream(given: DreamInput, context: Context) -> ImagesOutput:
    await context.work(6, 3)
    side = {"auto": 1024, "auto_2K": 2048, "auto_4K": 4096}.get(str(given.image_size))
    size = (side, side) if side else pixels(given.image_size, "square_hd")
    return await _images(
        given.prompt, size, given.seed, context,
        count=given.num_images, kind="png", inline=given.sync_mode,
    )  # fmt: skip


async def _images(
    prompt: str,
    size: Sequence[int],
    seed: int | None,
    context: Context,
    *,
    count: int = 1,
    kind: str = "jpeg",
    inline: bool = False,
) -> ImagesOutput:
    began, seed = time.perf_counter(), seed_of(seed)
    wanted = (size[0], size[1])
    painted = pictures.fitted(wanted)
    if painted != wanted:
        context.log(f"{size[0]}x{size[1]} is more than is painted here: {painted}", "WARN")
    images = []
    for number in range(count):
        made = await in_thread(pictures.paint, prompt, painted, seed + number)
        images.append(await keep_image(made, context, kind, inline=inline))
    context.units = count
    timings = {"inference": round(time.perf_counter() - began, 4)}
    flags = [False] * count
    return ImagesOutput(
        images=images, timings=timings, seed=seed, prompt=prompt, has_nsfw_concepts=flags
    )


def _of_ratio(text: str) -> tuple[int, int]:
    """A size of that shape; that of 16:9 for a text that is none."""
    wide, _, high = text.partition(":")
    try:
        share = min(max(float(wide) / float(high), 0.2), 5.0)
    except (ValueError, ZeroDivisionError):
        share = 16 / 9
    return (1024, round(1024 / share)) if share >= 1 else (round(1024 * share), 1024)


ENDPOINTS = [
    Endpoint(
        id="sandbox/flux/dev", title="Flux [dev] lookalike", category="text-to-image",
        description="Text to image with a size, a seed and sliders.",
        input=BaseInput, output=ImagesOutput, run=dev, capacity=2,
    ),
    Endpoint(
        id="sandbox/flux/lora", title="Flux with LoRA lookalike", category="text-to-image",
        description="Text to image with a list of weights, ControlNet and IP adapter.",
        input=LoraInput, output=ImagesOutput, run=lora, nullable=False,
    ),
    Endpoint(
        id="sandbox/flux/ultra", title="Flux Ultra lookalike", category="text-to-image",
        description="Text to image in any shape.",
        input=UltraInput, output=ImagesOutput, run=ultra, nullable=False,
        names={"Image": "registry__image__ultra__models__Image"},
    ),
    Endpoint(
        id="sandbox/dream/v4/text-to-image", title="Dream v4 lookalike", category="text-to-image",
        description="Text to image of up to 4K; several pictures of one story.",
        input=DreamInput, output=ImagesOutput, run=dream,
    ),
]  # fmt: skip
