"""Image to image: edit, inpaint, enlarge, segment. Pictures that are kept here are really worked on."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import pictures

from .base import Context, Endpoint
from .files import in_thread, keep_picture, picture, seed_of
from .shapes import SAMPLES, EditOutput, ImageFile, Shape, ui

PHOTO = f"{SAMPLES}/harbour-in-the-morning.jpg"
ABOUT = """## What it does

Changes a picture by words: *make it night*, `remove the boat`.

| Input | Limit |
| --- | --- |
| picture | 20 MB, 256 to 8192 pixels a side |
| prompt | any language |

1. Keep the prompt short.
2. Name what shall **stay** as it is.
"""


class KontextInput(Shape):
    prompt: str = Field(description="What to change.", examples=["make it a snowy winter night"])
    guidance_scale: float = Field(3.5, ge=1, le=20, title="Guidance scale (CFG)")
    num_images: int = Field(1, ge=1, le=4)
    seed: int | None = None
    output_format: Literal["jpeg", "png"] = "jpeg"
    safety_tolerance: Literal["1", "2", "3", "4", "5", "6"] = "2"
    aspect_ratio: Literal["21:9", "16:9", "4:3", "1:1", "3:4", "9:16"] | None = Field(
        None, description="Left out: that of the picture."
    )
    image_url: str = Field(
        min_length=1, description="The picture to change.", examples=[PHOTO],
        json_schema_extra=ui(limits={
            "max_file_size": 20_971_520, "min_width": 64, "max_width": 8192, "min_height": 64,
            "max_height": 8192, "min_aspect_ratio": 0.25, "max_aspect_ratio": 4.0,
        }),
    )  # fmt: skip


class InpaintInput(Shape):
    prompt: str = Field(examples=["a forest lake"])
    image_url: str = Field(description="The picture to repaint.", examples=[PHOTO])
    mask_url: str = Field(
        description="White is repainted, black is kept.", examples=[f"{SAMPLES}/mask.png"]
    )
    strength: float = Field(
        0.85, gt=0, le=1, multiple_of=0.01, description="1 forgets the picture."
    )
    negative_prompt: str = Field("", max_length=500)
    seed: int | None = None


class UpscaleInput(Shape):
    image_url: str = Field(
        description="The picture to enlarge.", examples=[f"{SAMPLES}/small-boat-on-the-sea.jpg"],
        json_schema_extra=ui(limits={"max_file_size": 10_485_760, "max_width": 4096, "max_height": 4096}),
    )  # fmt: skip
    upscale_mode: Literal["target", "factor"] = Field(
        "factor", description="To a size, or by a factor."
    )
    upscale_factor: float = Field(2, ge=1, le=10, description="Used with `factor`.")
    target_resolution: Literal["720p", "1080p", "1440p", "2160p"] = Field(
        "1080p", description="Used with `target`."
    )
    seed: int | None = None
    noise_scale: float = Field(0.1, ge=0, le=1, multiple_of=0.001)
    output_format: Literal["png", "jpeg", "webp"] = "jpeg"


class UpscaleOutput(Shape):
    image: ImageFile = Field(description="The enlarged picture.")
    seed: int


class PointPrompt(Shape):
    x: int = Field(305, description="Pixels from the left.")
    y: int = Field(350, description="Pixels from the top.")
    label: Literal[0, 1] = Field(1, description="1 belongs to it, 0 does not.")


class BoxPrompt(Shape):
    x_min: int = 0
    y_min: int = 0
    x_max: int = 0
    y_max: int = 0


class SegmentInput(Shape):
    image_url: str = Field(examples=[PHOTO])
    prompts: list[PointPrompt] = Field(
        [], description="Points in it and beside it.", examples=[[{"x": 320, "y": 200, "label": 1}]]
    )
    box_prompts: list[BoxPrompt] = Field([], description="Boxes around it.", max_length=8)
    apply_mask: bool = Field(default=True, description="Mark it in the picture.")
    output_format: Literal["jpeg", "png", "webp"] = "png"


class SegmentOutput(Shape):
    image: ImageFile = Field(description="The picture with what was found.")


async def kontext(given: KontextInput, context: Context) -> EditOutput:
    source, seed = await picture(given.image_url, context, "image_url"), seed_of(given.seed)
    await context.work(8, 2)
    images = []
    for number in range(given.num_images):
        made = await in_thread(pictures.edited, source, given.prompt, seed + number)
        images.append(await keep_picture(made, context, given.output_format))
    context.units = given.num_images
    return EditOutput(images=images, seed=seed)


async def inpaint(given: InpaintInput, context: Context) -> EditOutput:
    source = await picture(given.image_url, context, "image_url")
    mask = await picture(given.mask_url, context, "mask_url")
    await context.work(5, 2)
    seed = seed_of(given.seed)
    made = await in_thread(pictures.inpainted, source, mask, given.prompt, seed)
    return EditOutput(images=[await keep_picture(made, context)], seed=seed)


async def upscale(given: UpscaleInput, context: Context) -> UpscaleOutput:
    source = await picture(given.image_url, context, "image_url")
    await context.work(3, 1.5, "tiles")
    factor = given.upscale_factor
    if given.upscale_mode == "target":
        factor = int(given.target_resolution[:-1]) / source.height
    made = await in_thread(pictures.enlarged, source, factor)
    context.units = made.width * made.height / 1_000_000
    image = await keep_picture(made, context, given.output_format)
    return UpscaleOutput(image=image, seed=seed_of(given.seed))


async def segment(given: SegmentInput, context: Context) -> SegmentOutput:
    source = await picture(given.image_url, context, "image_url")
    await context.work(2, 0.6)
    if given.apply_mask:
        points = [(one.x, one.y, one.label == 1) for one in given.prompts]
        boxes = [(one.x_min, one.y_min, one.x_max, one.y_max) for one in given.box_prompts]
        source = await in_thread(pictures.marked, source, points, boxes)
    return SegmentOutput(image=await keep_picture(source, context, given.output_format))


ENDPOINTS = [
    Endpoint(
        id="sandbox/flux/kontext", title="Flux Kontext lookalike", category="image-to-image",
        description="Changes a picture by words.", about=ABOUT,
        input=KontextInput, output=EditOutput, run=kontext,
    ),
    Endpoint(
        id="sandbox/flux/inpaint", title="Flux Inpaint lookalike", category="image-to-image",
        description="Repaints what a mask shows.",
        input=InpaintInput, output=EditOutput, run=inpaint,
    ),
    Endpoint(
        id="sandbox/upscale/image", title="Upscale lookalike", category="image-to-image",
        description="Enlarges a picture by a factor or to a size.",
        input=UpscaleInput, output=UpscaleOutput, run=upscale,
    ),
    Endpoint(
        id="sandbox/segment/image", title="Segment lookalike", category="image-to-image",
        description="Finds what points and boxes show.",
        input=SegmentInput, output=SegmentOutput, run=segment, nullable=False,
    ),
]  # fmt: skip
