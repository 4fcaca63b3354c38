"""`sandbox/structured-edit`: nothing is required, and the instruction may be taken apart over three levels."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from requests_app.sandbox.media import pictures

from .base import Context, Endpoint
from .files import in_thread, keep_picture, picture
from .shapes import ImageFile, Shape


class Color(Shape):
    red: int = Field(ge=0, le=255)
    green: int = Field(ge=0, le=255)
    blue: int = Field(ge=0, le=255)
    name: str | None = None


class BoundingBox(Shape):
    x: float
    y: float
    w: float
    h: float
    label: str


class PromptObject(Shape):
    description: str | None = None
    location: str | None = None
    number_of_objects: int | None = None
    relative_distance: float | None = None
    colors: list[Color] | None = None
    skin_color: Color | None = None
    bounding_boxes: list[BoundingBox] | None = None


class Lighting(Shape):
    conditions: str | None = None
    direction: str | None = None
    shadows: str | None = None


class StructuredInstruction(Shape):
    short_description: str | None = None
    edit_instruction: str | None = None
    objects: list[PromptObject] | None = None
    lighting: Lighting | None = None
    text_render: list[Any] | None = Field(None, description="Anything.")


class EditInput(Shape):
    image_url: str | None = Field(None, description="The picture to change.")
    mask_url: str | None = Field(None, description="White is changed, black is kept.")
    instruction: str | None = Field(None, description="What to change.")
    structured_instruction: StructuredInstruction | None = Field(
        None, description="The change, taken apart."
    )
    seed: int = Field(5555, description="The same seed gives the same picture.")
    steps_num: int = Field(30, ge=1, le=50)
    guidance_scale: int | float = Field(5, description="How closely to follow.")
    negative_prompt: str = ""
    sync_mode: bool = False


class StructuredOutput(Shape):
    image: ImageFile = Field(description="The picture.")
    images: list[ImageFile] = Field([], description="The same as a list.")
    structured_instruction: dict[str, Any] = Field(description="What was understood.")


async def run(given: EditInput, context: Context) -> StructuredOutput:
    structured = given.structured_instruction
    understood = structured.model_dump(exclude_none=True) if structured else {}
    words = given.instruction or understood.get("short_description") or "an evening sky"
    await context.work(min(given.steps_num, 10), 2)
    if given.image_url is None:
        made = await in_thread(pictures.paint, words, (768, 512), given.seed)
    else:
        source = await picture(given.image_url, context, "image_url")
        made = await in_thread(pictures.edited, source, words, given.seed)
    image = await keep_picture(made, context)
    return StructuredOutput(
        image=image, images=[image],
        structured_instruction=understood or {"short_description": words},
    )  # fmt: skip


ENDPOINTS = [
    Endpoint(
        id="sandbox/structured-edit", title="Structured edit lookalike", category="image-to-image",
        description="An edit in words or as a structure; nothing is required.",
        input=EditInput, output=StructuredOutput, run=run,
    )
]  # fmt: skip
