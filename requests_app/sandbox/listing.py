"""The list of models that the platform shows: what runs here, and about 1,200 made-up ids of the usual kinds.

A made-up id runs as the endpoint that its kind imitates. The same list every time, made in a few milliseconds.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

OWNERS = ("northlight", "kiln-labs", "paperboat", "tidal-ai", "saltworks", "heron", "quarry-ml", "lumenfield",
          "fernweh", "stillwater", "magpie", "copperhead")  # fmt: skip
# kind -> family names, versions, variants: (end of the id, category, the endpoint it runs as)
KINDS: dict[str, tuple[str, str, tuple[tuple[str, str, str], ...]]] = {
    "image": (
        "aurora basalt cinder driftwood ember fjord granite halcyon indigo juniper kestrel lantern marigold nimbus"
        " onyx prairie quartz rowan sienna tundra umber vesper willow xenon yarrow zephyr alder birch cobalt dahlia",
        "v1 v2 v2.5",
        (
            ("text-to-image", "text-to-image", "sandbox/flux/dev"),
            ("fast/text-to-image", "text-to-image", "sandbox/flux/ultra"),
            ("lora", "text-to-image", "sandbox/flux/lora"),
            ("image-to-image", "image-to-image", "sandbox/flux/kontext"),
            ("inpaint", "image-to-image", "sandbox/flux/inpaint"),
            ("upscale", "image-to-image", "sandbox/upscale/image"),
            ("trainer", "training", "sandbox/flux/lora-training"),
        ),
    ),
    "video": (
        "albatross bluejay condor dunlin egret falcon goshawk harrier ibis jackdaw kite lapwing merlin nightjar"
        " osprey plover raven starling tern wren",
        "v1.5 v2 v3/pro v3/standard",
        (
            ("text-to-video", "text-to-video", "sandbox/motion/text-to-video"),
            ("image-to-video", "image-to-video", "sandbox/motion/image-to-video"),
            ("reference-to-video", "image-to-video", "acme/courser/reference-to-video"),
            ("lipsync", "video-to-video", "sandbox/lipsync/v2"),
        ),
    ),
    "sound": (
        "adagio ballad cantata duet etude fugue gavotte hymn intermezzo jig lullaby minuet nocturne ostinato prelude",
        "v1 v2-hd",
        (
            ("tts", "text-to-speech", "sandbox/narrator/tts"),
            ("dialogue", "text-to-audio", "sandbox/conversation"),
            ("transcribe", "speech-to-text", "sandbox/transcribe"),
        ),
    ),
    "thing": (
        "anvil bobbin chisel dowel easel flange gimbal hinge inkwell jigsaw",
        "v1 v2",
        (
            ("image-to-3d", "image-to-3d", "sandbox/mesh/multi-image-to-3d"),
            ("segment", "image-to-image", "sandbox/segment/image"),
            ("describe", "vision", "sandbox/vision/chat"),
        ),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class MadeUp:
    """One made-up model."""

    id: str
    family: str
    version: str
    variant: str
    category: str
    runs_as: str
    is_newest: bool

    @cached_property
    def title(self) -> str:
        words = f"{self.family} {self.version} {self.variant}".replace("/", " ").replace("-", " ")
        return " ".join(word if word[0] == "v" else word.capitalize() for word in words.split())


def chance(text: str, below: int) -> int:
    """A number that follows from the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big") % below


def _made_up() -> dict[str, MadeUp]:
    found = [
        MadeUp(
            f"{OWNERS[chance(family, len(OWNERS))]}/{family}/{version}/{variant}",
            family, version, variant, category, runs_as, is_newest=version == versions.split()[-1],
        )
        for families, versions, variants in KINDS.values()
        for family in families.split()
        for version in versions.split()
        for variant, category, runs_as in variants
    ]  # fmt: skip
    return {one.id: one for one in found}


MADE_UP = _made_up()
