"""Apps of a team's own, as fal's Python package describes them, and one that takes nothing."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from requests_app.sandbox.media import clips, pictures

from .base import Context, Endpoint
from .files import check_media, in_thread, keep_picture, keep_video
from .shapes import ImageFile, ImageSize, Preset, RGBColor, Shape, VideoFile, pixels, ui

ABOUT = """## What it does

Draws over a clip, frame by frame.

| Field | Meaning |
| --- | --- |
| `image_url` | the picture to draw |
| `clips` | at most **60 s** together |
"""


class PaintOverInput(Shape):
    prompt: str = Field(examples=["ink drawing of a desert road"])
    image_url: str | None = Field(None, json_schema_extra=ui(field="image"))
    image_size: ImageSize | Preset = Field(
        "square_hd",
        json_schema_extra=ui(
            important=True, limits={"min_width": 256, "max_width": 2048, "multiple_of": 16}
        ),
    )
    clip_url: str | None = Field(
        None,
        json_schema_extra=ui(
            field="video",
            limits={"max_duration": 30, "max_file_size": 104_857_600, "max_fps": 60,
                    "normalization": {"max_duration": 15}},
        ),
    )  # fmt: skip
    clips: list[str] = Field(
        [], json_schema_extra=ui(field="video", limits={"combined": {"max_duration": 60}})
    )
    voice_url: str = Field("", json_schema_extra=ui(field="audio"))
    shape_model_url: str = Field("", description="A 3D model to draw on.")
    archive: str = Field("", json_schema_extra=ui(field="file"))
    notes: str = Field("", json_schema_extra=ui(field="textarea", hint="Not sent to the model."))
    debug: bool = Field(default=False, json_schema_extra=ui(hidden=True))
    build: str = Field("stable", json_schema_extra=ui(frozen=True))
    camera: dict[str, Any] = Field(
        {"movement_type": "default", "movement_value": 0},
        json_schema_extra=ui(field="camera_control"),
    )
    labels: dict[str, str] = Field({}, description="Names of your own.")
    weights: dict[str, float] = Field({}, description="A share for each style.")
    styles: list[Literal["ink", "oil", "chalk"]] = Field([], max_length=2)
    background: RGBColor = Field(
        RGBColor(r=255, g=255, b=255), description="The colour behind the drawing."
    )
    palette: list[RGBColor] = Field([], description="Colours to draw with.")


class PaintOverOutput(Shape):
    images: list[ImageFile]
    video: VideoFile | None = Field(None, description="The clip, if there was one.")


class Fast(Shape):
    kind: Literal["fast"] = "fast"
    tokens: int = Field(100, ge=1, le=1000)


class Exact(Shape):
    kind: Literal["exact"] = "exact"
    checks: list[str] = []


class RouterInput(Shape):
    """Fields whose names mean something elsewhere, and shapes of newer documents."""

    request_id: str = Field(description="An id of your own.", examples=["order-7"])
    url: str = Field(examples=["https://example.com/page"])
    model: str = Field("auto", examples=["auto"])
    model_name: str = Field("base", examples=["base", "base-large", "tuned"])
    method: Literal["GET", "POST", "None"] = "GET"
    format: Literal["json"] = "json"
    type: str = "object"
    object: bool = Field(default=True, title="Object or thing")
    array: list[int] = Field([1, 2, 3], min_length=1, max_length=5)
    input: dict[str, Any] = Field({}, description="Any JSON object.")
    range: tuple[float, float] = Field((0.0, 1.0), description="From and to.")
    plan: Annotated[Fast | Exact, Field(discriminator="kind")] = Fast(tokens=100)
    enabled: bool | None = None
    ratio: float = Field(0.5, gt=0, lt=1)


class RouterOutput(Shape):
    received: dict[str, Any] = Field(description="The input with all defaults.")
    fields: int


class NoInput(Shape):
    pass


class SurpriseOutput(Shape):
    image: ImageFile = Field(description="A picture of chance.")


async def paint_over(given: PaintOverInput, context: Context) -> PaintOverOutput:
    for name in ("image_url", "clip_url", "voice_url", "shape_model_url"):
        if value := getattr(given, name):
            check_media(value, context, name)
    await context.work(5, 2)
    size = pictures.fitted(pixels(given.image_size))
    words = " ".join([given.prompt, *given.styles])
    made = await in_thread(pictures.paint, words, size, 3)
    video = None
    if given.clip_url or given.clips:
        clip = await in_thread(clips.pan, words, (480, 270), 3, 4)
        video = keep_video(clip, context, clips.FPS)
    return PaintOverOutput(images=[await keep_picture(made, context)], video=video)


async def router(given: RouterInput, context: Context) -> RouterOutput:
    context.log(f"Routing {given.request_id[:100]}", "INFO")
    received = given.model_dump(mode="json")
    return RouterOutput(received=received, fields=len(received))


async def surprise(_given: NoInput, context: Context) -> SurpriseOutput:
    await context.work(3, 1)
    made = await in_thread(pictures.paint, context.request_id, (640, 420), 1)
    return SurpriseOutput(image=await keep_picture(made, context, "webp"))


ENDPOINTS = [
    Endpoint(
        id="acme/paint-over", title="Paint over", category="video-to-video", about=ABOUT,
        description="Draws over a clip. An app of a team's own, with every hint for the form.",
        input=PaintOverInput, output=PaintOverOutput, run=paint_over,
    ),
    Endpoint(
        id="acme/router", title="Router", category="json", openapi="3.1.0",
        description="Gives back what it understood. Its fields have names that mean something elsewhere.",
        input=RouterInput, output=RouterOutput, run=router,
    ),
    Endpoint(
        id="sandbox/surprise", title="Surprise lookalike", category="unknown",
        description="Takes nothing, and paints something.",
        input=NoInput, output=SurpriseOutput, run=surprise,
    ),
]  # fmt: skip
