"""`sandbox/vector/v3`: styles with slashes in their names, and colours; answers with SVG for vector styles."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from pydantic import Field

from requests_app.sandbox.media import pictures

from .base import Context, Endpoint
from .files import in_thread, keep, keep_picture
from .shapes import File, ImageSize, Preset, RGBColor, Shape, pixels

PALETTE = [RGBColor(r=230, g=92, b=70), RGBColor(r=246, g=190, b=80), RGBColor(r=60, g=110, b=160)]
Style = Literal[
    "any", "realistic_image", "digital_illustration", "vector_illustration",
    "realistic_image/b_and_w", "realistic_image/hard_flash", "realistic_image/hdr",
    "realistic_image/natural_light", "realistic_image/studio_portrait",
    "realistic_image/enterprise", "realistic_image/motion_blur",
    "digital_illustration/pixel_art", "digital_illustration/hand_drawn",
    "digital_illustration/grain", "digital_illustration/infantile_sketch",
    "digital_illustration/2d_art_poster", "digital_illustration/handmade_3d",
    "digital_illustration/hand_drawn_outline", "digital_illustration/engraving_color",
    "vector_illustration/engraving", "vector_illustration/line_art",
    "vector_illustration/line_circuit", "vector_illustration/linocut",
]  # fmt: skip


class VectorInput(Shape):
    prompt: str = Field(min_length=1, max_length=1000, examples=["a paper boat on a green lake"])
    image_size: ImageSize | Preset = Field("square_hd")
    style: Style = Field("realistic_image", description="Vector styles cost twice as much.")
    colors: list[RGBColor] = Field([], description="Preferred colours.")
    background_color: RGBColor | None = Field(None, description="Colour behind it all.")
    style_id: UUID | None = Field(
        None, description="Id of a style of your own.", json_schema_extra={"format": "uuid4"}
    )


class VectorOutput(Shape):
    images: list[File] = Field(description="The pictures that were made.")


async def run(given: VectorInput, context: Context) -> VectorOutput:
    await context.work(3, 1.5)
    size = pictures.fitted(pixels(given.image_size))
    if not given.style.startswith("vector_illustration"):
        made = await in_thread(pictures.paint, given.prompt, size, len(given.style))
        return VectorOutput(images=[await keep_picture(made, context, "webp")])
    colours = [_hex(colour) for colour in given.colors or PALETTE]
    background = _hex(given.background_color or RGBColor(r=250, g=246, b=238))
    data = pictures.svg(given.prompt, size, colours, background)
    context.units = 2
    return VectorOutput(images=[keep(data, "image/svg+xml", "svg", context)])


def _hex(colour: RGBColor) -> str:
    return f"#{colour.r:02x}{colour.g:02x}{colour.b:02x}"


ENDPOINTS = [
    Endpoint(
        id="sandbox/vector/v3", title="Vector v3 lookalike", category="text-to-image",
        description="Pictures and vector drawings in a chosen style and palette.",
        input=VectorInput, output=VectorOutput, run=run,
    )
]  # fmt: skip
