"""`sandbox/post-processing`: 54 fields, most of them for one of its effects."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import pictures

from .base import Context, Endpoint
from .files import in_thread, keep_picture, picture
from .shapes import SAMPLES, EditOutput, Shape

Blend = Literal["normal", "screen", "overlay", "soft_light", "multiply"]


class PostProcessingInput(Shape):
    """Effects for a finished picture; each has to be switched on."""

    image_url: str = Field(examples=[f"{SAMPLES}/forest-in-the-evening.jpg"])
    enable_film_grain: bool = Field(default=False, title="Film Grain")
    grain_intensity: float = Field(0.4, ge=0, le=1)
    grain_scale: float = Field(10, ge=1, le=100)
    grain_style: Literal["modern", "analog", "kodak", "fuji", "cinematic", "newspaper"] = "modern"
    enable_color_correction: bool = False
    temperature: float = Field(0, ge=-100, le=100)
    brightness: float = Field(0, ge=-100, le=100)
    contrast: float = Field(0, ge=-100, le=100)
    saturation: float = Field(0, ge=-100, le=100)
    gamma: float = Field(1, ge=0.2, le=2.2)
    enable_chromatic_aberration: bool = False
    red_shift: int = Field(0, ge=-20, le=20)
    red_direction: Literal["horizontal", "vertical"] = "horizontal"
    green_shift: int = Field(0, ge=-20, le=20)
    green_direction: Literal["horizontal", "vertical"] = "horizontal"
    blue_shift: int = Field(0, ge=-20, le=20)
    blue_direction: Literal["horizontal", "vertical"] = "horizontal"
    enable_blur: bool = False
    blur_type: Literal["gaussian", "kuwahara"] = "gaussian"
    blur_radius: int = Field(3, ge=0, le=31)
    blur_sigma: float = Field(1, ge=0.1, le=10)
    enable_vignette: bool = False
    vignette_strength: float = Field(0.5, ge=0, le=1)
    enable_parabolize: bool = False
    parabolize_coeff: float = Field(1, ge=-10, le=10)
    vertex_x: float = Field(0.5, ge=0, le=1)
    vertex_y: float = Field(0.5, ge=0, le=1)
    enable_tint: bool = False
    tint_strength: float = Field(1, ge=0, le=1)
    tint_mode: Literal["sepia", "red", "green", "blue", "cyan", "magenta", "yellow"] = "sepia"
    enable_dissolve: bool = False
    dissolve_factor: float = Field(0.5, ge=0, le=1)
    dissolve_image_url: str | None = Field("", description="The picture to dissolve into.")
    enable_dodge_burn: bool = False
    dodge_burn_mode: Literal["dodge", "burn", "dodge_and_burn", "color_dodge"] = "dodge"
    dodge_burn_intensity: float = Field(0.5, ge=0, le=1)
    enable_glow: bool = False
    glow_intensity: float = Field(1, ge=0, le=5)
    glow_radius: int = Field(5, ge=1, le=50)
    glow_blend: Blend = "screen"
    enable_sharpen: bool = False
    sharpen_mode: Literal["basic", "smart", "cas"] = "basic"
    sharpen_radius: int = Field(1, ge=1, le=15)
    sharpen_alpha: float = Field(1, ge=0.1, le=5)
    noise_radius: int = Field(7, ge=1, le=25)
    preserve_edges: float = Field(0.75, ge=0, le=1)
    smart_sharpen_strength: float = Field(5, ge=0, le=25)
    smart_sharpen_ratio: float = Field(0.5, ge=0, le=1)
    cas_amount: float = Field(0.8, ge=0, le=1)
    enable_solarize: bool = False
    solarize_threshold: float = Field(0.5, ge=0, le=1)
    enable_desaturate: bool = False
    desaturate_factor: float = Field(1, ge=0, le=1)


async def run(given: PostProcessingInput, context: Context) -> EditOutput:
    source = await picture(given.image_url, context, "image_url")
    used = [name for name, value in given if name.startswith("enable_") and value is True]
    context.log(f"Effects: {', '.join(used) or 'none'}", "INFO")
    await context.work(max(len(used), 1), 1, "effects")
    on = given.enable_color_correction
    made = await in_thread(
        pictures.developed, source,
        brightness=1 + given.brightness / 100 if on else 1,
        contrast=1 + given.contrast / 100 if on else 1,
        colour=1 - given.desaturate_factor if given.enable_desaturate
        else 1 + given.saturation / 100 if on else 1,
    )  # fmt: skip
    return EditOutput(images=[await keep_picture(made, context)], seed=0)


ENDPOINTS = [
    Endpoint(
        id="sandbox/post-processing", title="Post-processing lookalike", category="image-to-image",
        description="Grain, colours, blur, glow and more for a finished picture: 54 fields.",
        input=PostProcessingInput, output=EditOutput, run=run, nullable=False,
    )
]  # fmt: skip
