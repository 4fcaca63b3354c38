"""The models this fal serves. `ENDPOINTS` is the catalogue: ids at once, each model when it is first used.

Image libraries and a hundred schemas cost nothing until they are wanted.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache

from requests_app.sandbox.ids import EndpointId
from requests_app.sandbox.listing import MADE_UP

from .base import Endpoint

# Endpoint id -> the module of this package that has it.
MODULES = {
    "sandbox/image": "image",
    "sandbox/slow": "slow",
    "sandbox/text": "text",
    "sandbox/echo": "echo",
    "sandbox/strict": "strict",
    "sandbox/crash": "crash",
    "sandbox/patient": "patient",
    "sandbox/large": "large",
    "fal-ai/fast-sdxl": "sdxl",
    "fal-ai/fast-sdxl/image-to-image": "sdxl",
    "fal-ai/any-llm": "any_llm",
    "sandbox/flux/dev": "text_to_image",
    "sandbox/flux/lora": "text_to_image",
    "sandbox/flux/ultra": "text_to_image",
    "sandbox/dream/v4/text-to-image": "text_to_image",
    "sandbox/vector/v3": "vector",
    "sandbox/flux/kontext": "image_to_image",
    "sandbox/flux/inpaint": "image_to_image",
    "sandbox/upscale/image": "image_to_image",
    "sandbox/segment/image": "image_to_image",
    "sandbox/structured-edit": "structured_edit",
    "sandbox/post-processing": "post_processing",
    "sandbox/motion/text-to-video": "video",
    "sandbox/motion/image-to-video": "video",
    "sandbox/track/image-to-video": "video",
    "acme/courser/reference-to-video": "video",
    "sandbox/template-to-video": "templates",
    "sandbox/compose/video": "video_editing",
    "sandbox/lipsync/v2": "video_editing",
    "sandbox/voice/tts/v3": "speech",
    "sandbox/narrator/tts": "speech",
    "sandbox/conversation": "speech",
    "sandbox/transcribe": "speech",
    "sandbox/vision/chat": "vision",
    "sandbox/mesh/multi-image-to-3d": "three_d",
    "sandbox/flux/lora-training": "training",
    "acme/paint-over": "own_apps",
    "acme/router": "own_apps",
    "sandbox/surprise": "own_apps",
}


class _Endpoints(Mapping[str, Endpoint]):
    def __getitem__(self, endpoint_id: str) -> Endpoint:
        return _of(MODULES[endpoint_id])[endpoint_id]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)


@cache
def _of(module: str) -> dict[str, Endpoint]:
    loaded = importlib.import_module(f"{__name__}.{module}")
    return {endpoint.id: endpoint for endpoint in loaded.ENDPOINTS}


ENDPOINTS = _Endpoints()
APPS = frozenset("/".join(name.split("/")[:2]) for name in (*ENDPOINTS, *MADE_UP))


def find(endpoint_id: EndpointId) -> Endpoint | None:
    """The endpoint; for a made-up id that which it imitates, under its own name."""
    name = str(endpoint_id)
    if (made_up := MADE_UP.get(name)) is None:
        return ENDPOINTS.get(name)
    return replace(
        ENDPOINTS[made_up.runs_as], id=name, title=made_up.title, category=made_up.category
    )
