"""Shapes that many endpoints share: files, sizes, colours; and what their documents say of common fields."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SAMPLES = "{base_url}/cdn/samples"  # the document fills in where this server is
MAX_SEED = 2**31 - 1
PRESETS = {
    "square_hd": (1024, 1024),
    "square": (512, 512),
    "portrait_4_3": (768, 1024),
    "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768),
    "landscape_16_9": (1024, 576),
}
Preset = Literal[
    "square_hd", "square", "portrait_4_3", "portrait_16_9", "landscape_4_3", "landscape_16_9"
]
SHAPES = {"16:9": (1024, 576), "9:16": (576, 1024), "1:1": (768, 768), "4:3": (1024, 768), "3:4": (768, 1024),
          "21:9": (1260, 540), "9:21": (540, 1260), "3:2": (960, 640), "2:3": (640, 960)}  # fmt: skip


class Shape(BaseModel):
    model_config = ConfigDict(protected_namespaces=())  # fields may be called model_…


class ImageSize(Shape):
    """Width and height in pixels."""

    width: int = Field(512, gt=0, le=14142, description="Pixels across.")
    height: int = Field(512, gt=0, le=14142, description="Pixels down.")


class RGBColor(Shape):
    """A colour."""

    r: int = Field(0, ge=0, le=255, description="Red.")
    g: int = Field(0, ge=0, le=255, description="Green.")
    b: int = Field(0, ge=0, le=255, description="Blue.")


class Image(Shape):
    """A picture, as older endpoints describe it."""

    url: str = Field(description="Where the picture can be fetched.")
    width: int = Field(description="Pixels across.")
    height: int = Field(description="Pixels down.")
    content_type: str = Field("image/jpeg", description="MIME type.")


class File(Shape):
    """A file, as newer endpoints describe it."""

    url: str = Field(description="Where the file can be fetched.")
    content_type: str | None = Field(None, description="MIME type.", examples=["image/png"])
    file_name: str | None = Field(
        None, description="Name of the file.", examples=["z9RV14K95DvU.png"]
    )
    file_size: int | None = Field(None, description="Bytes.", examples=[4404019])


class ImageFile(File):
    """A picture."""

    model_config = ConfigDict(title="Image", json_schema_extra={"ui": {"field": "image"}})

    width: int | None = Field(None, description="Pixels across.", examples=[1024])
    height: int | None = Field(None, description="Pixels down.", examples=[1024])


class VideoFile(File):
    """A video."""

    model_config = ConfigDict(title="Video", json_schema_extra={"ui": {"field": "video"}})

    width: int | None = None
    height: int | None = None
    fps: float | None = None
    duration: float | None = Field(None, description="Seconds.")
    num_frames: int | None = None


class AudioFile(File):
    """A sound."""

    model_config = ConfigDict(title="Audio", json_schema_extra={"ui": {"field": "audio"}})

    duration: float | None = Field(None, description="Seconds.")


class ImagesOutput(Shape):
    images: list[Image] = Field(description="The pictures that were made.")
    timings: dict[str, float] = Field(description="Seconds spent in each step.")
    seed: int = Field(description="The seed that was used.")
    has_nsfw_concepts: list[bool] = Field(description="One flag for each picture.")
    prompt: str = Field(description="The prompt that was used.")


class EditOutput(Shape):
    images: list[ImageFile] = Field(description="The pictures that were made.")
    seed: int = Field(description="The seed that was used.")


class VideoOutput(Shape):
    video: VideoFile = Field(description="The video that was made.")
    seed: int | None = Field(None, description="The seed that was used.")


class AudioOutput(Shape):
    audio: AudioFile = Field(description="The sound that was made.")


def ui(**hints: Any) -> dict[str, Any]:
    """What a field's schema says to the form: `ui` and `x-fal`."""
    limits = hints.pop("limits", None)
    return {**({"ui": hints} if hints else {}), **({"x-fal": limits} if limits else {})}


def pixels(size: ImageSize | str | None, default: str = "landscape_4_3") -> tuple[int, int]:
    if isinstance(size, ImageSize):
        return size.width, size.height
    return PRESETS.get(size or default) or SHAPES.get(size or "") or PRESETS[default]
