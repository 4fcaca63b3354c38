"""`sandbox/strict`: particular about its input; shows validation errors field by field."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from .base import Context, Endpoint, ModelError


class ImageSize(BaseModel):
    width: int = Field(512, ge=64, le=2048, multiple_of=8)
    height: int = Field(512, ge=64, le=2048, multiple_of=8)


class StrictInput(BaseModel):
    model_config = ConfigDict(extra="forbid")

    prompt: str = Field(min_length=3, max_length=200, examples=["a lighthouse"])
    num_images: int = Field(1, ge=1, le=4, description="How many to make.")
    guidance_scale: float = Field(7.5, gt=0, le=20)
    style: Literal["photo", "drawing", "painting"] = "photo"
    image_size: ImageSize | Literal["square", "landscape"] = Field("square")
    image_url: str | None = Field(None, description="An http(s) URL or a data URI.")


class StrictOutput(BaseModel):
    accepted: StrictInput


async def run(given: StrictInput, context: Context) -> StrictOutput:
    if "forbidden" in given.prompt.lower():
        raise ModelError(422, [_problem("prompt", given.prompt, "content_policy_violation",
                                        "The content could not be processed.")])  # fmt: skip
    if given.image_url and not given.image_url.startswith(("http://", "https://", "data:")):
        raise ModelError(422, [_problem("image_url", given.image_url, "image_load_error",
                                        "Failed to load the image.")])  # fmt: skip
    context.log("Every field is fine", "INFO")
    return StrictOutput(accepted=given)


def _problem(field: str, value: str, kind: str, message: str) -> dict[str, object]:
    return {"loc": ["body", field], "msg": message, "type": kind, "input": value}


ENDPOINTS = [
    Endpoint(
        id="sandbox/strict",
        title="Strict input",
        description="Refuses wrong fields with a 422 that names each of them. "
        "A prompt with the word “forbidden” meets the content policy.",
        input=StrictInput,
        output=StrictOutput,
        run=run,
    )
]
