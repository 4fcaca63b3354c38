"""`sandbox/flux/lora-training`: long work with a progress log, for one at a time."""

from __future__ import annotations

import json

from pydantic import Field

from requests_app.sandbox.media import packages

from .base import Context, Endpoint
from .files import check_media, in_thread, keep
from .shapes import SAMPLES, File, Shape, ui


class TrainingInput(Shape):
    images_data_url: str = Field(
        description="A zip of pictures, with a text of the same name beside each, if wanted.",
        examples=[f"{SAMPLES}/pictures-of-a-harbour.zip"],
        json_schema_extra=ui(limits={"max_file_size": 1_073_741_824}),
    )
    trigger_word: str | None = Field(None, description="The word that calls up the style.")
    create_masks: bool = Field(default=True, description="Learn more from faces.")
    steps: int | None = Field(None, ge=1, le=10_000, description="Left out: 1000.")
    is_style: bool = Field(default=False, description="A style, not a thing.")
    is_input_format_already_preprocessed: bool = False
    data_archive_format: str | None = Field(None, description="Left out: by the address.")
    resume_from_checkpoint: str = Field("", description="Address of weights to go on from.")


class TrainingOutput(Shape):
    diffusers_lora_file: File = Field(description="The weights.")
    config_file: File = Field(description="The settings.")
    debug_preprocessed_output: File | None = None


async def run(given: TrainingInput, context: Context) -> TrainingOutput:
    check_media(given.images_data_url, context, "images_data_url")
    steps = given.steps or 1000
    context.log("Reading the archive", "INFO")
    for tenth in range(1, 11):
        await context.work(1, 1, "tenth")
        loss = 0.4 / tenth + 0.02
        context.log(f"step {steps * tenth // 10}/{steps}, loss {loss:.4f}, lr 4.0e-04", "INFO")
    context.units = steps
    settings = {"instance_prompt": given.trigger_word, "steps": steps, "is_style": given.is_style}
    weights = await in_thread(packages.safetensors, given.trigger_word or "lora", steps)
    return TrainingOutput(
        diffusers_lora_file=keep(weights, "application/octet-stream", "safetensors", context),
        config_file=keep(json.dumps(settings).encode(), "application/json", "json", context),
    )


ENDPOINTS = [
    Endpoint(
        id="sandbox/flux/lora-training", title="LoRA training lookalike", category="training",
        description="Trains weights on an archive of pictures; one training at a time.",
        input=TrainingInput, output=TrainingOutput, run=run, capacity=1, obeys_cancel=True,
        nullable=False,
    )
]  # fmt: skip
