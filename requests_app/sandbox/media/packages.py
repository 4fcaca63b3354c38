"""Weights and archives: what a training takes and gives."""

from __future__ import annotations

import io
import json
import random
import struct
import zipfile
from collections.abc import Mapping

RANK = 4
WIDTH = 64


def safetensors(name: str, seed: int) -> bytes:
    """Two small matrices in the format of LoRA weights: a length, a JSON header, the numbers."""
    chance = random.Random(seed)  # noqa: S311
    header: dict[str, object] = {"__metadata__": {"format": "pt", "name": name}}
    numbers = b""
    for part, shape in (("lora_A", [RANK, WIDTH]), ("lora_B", [WIDTH, RANK])):
        begin = len(numbers)
        numbers += struct.pack(
            f"<{RANK * WIDTH}f", *(chance.gauss(0, 0.02) for _ in range(RANK * WIDTH))
        )
        header[f"transformer.{part}.weight"] = {
            "dtype": "F32", "shape": shape, "data_offsets": [begin, len(numbers)]
        }  # fmt: skip
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + numbers


def archive(files: Mapping[str, bytes]) -> bytes:
    """A zip; with a fixed time, so that the same files give the same bytes."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as made:
        for name, content in files.items():
            made.writestr(zipfile.ZipInfo(name), content)
    return data.getvalue()
