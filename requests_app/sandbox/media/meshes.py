"""A 3D model: a piece of land as glTF binary (.glb). Source: the glTF 2.0 specification."""

from __future__ import annotations

import json
import math
import random
import struct

SIDE = 24  # points along one edge


def glb(seed: int) -> bytes:
    """Hills with a colour at each point."""
    chance = random.Random(seed)  # noqa: S311
    waves = [chance.uniform(0.2, 0.6) for _ in range(3)]
    points = [_point(x, z, waves) for z in range(SIDE) for x in range(SIDE)]
    positions = b"".join(struct.pack("<3f", *point) for point in points)
    colours = b"".join(struct.pack("<3f", *_colour(y)) for _, y, _ in points)
    indices = [
        corner
        for z in range(SIDE - 1)
        for x in range(SIDE - 1)
        for at in [z * SIDE + x]
        for corner in (at, at + SIDE, at + 1, at + 1, at + SIDE, at + SIDE + 1)
    ]
    faces = struct.pack(f"<{len(indices)}H", *indices)
    heights = [y for _, y, _ in points]
    scene = _scene(len(points), len(indices), min(heights), max(heights))
    return _file(scene, positions + colours + faces)


def _point(x: int, z: int, waves: list[float]) -> tuple[float, float, float]:
    a, b, c = waves
    height = math.sin(x * a) + math.cos(z * b) + 0.5 * math.sin((x + z) * c)
    return x / SIDE - 0.5, height / 12, z / SIDE - 0.5


def _colour(height: float) -> tuple[float, float, float]:
    share = min(max(height * 4 + 0.5, 0), 1)
    return 0.2 + 0.7 * share, 0.45 + 0.4 * share, 0.2 + 0.7 * share**2


def _scene(points: int, indices: int, lowest: float, highest: float) -> dict[str, object]:
    floats, size = points * 12, indices * 2
    views = [
        {"buffer": 0, "byteOffset": start, "byteLength": length, "target": target}
        for start, length, target in (
            (0, floats, 34962), (floats, floats, 34962), (2 * floats, size, 34963)
        )
    ]  # fmt: skip
    low, high = -0.5, 0.5 - 1 / SIDE
    accessors = [
        {"bufferView": 0, "componentType": 5126, "count": points, "type": "VEC3",
         "min": [low, lowest - 1e-6, low], "max": [high, highest + 1e-6, high]},
        {"bufferView": 1, "componentType": 5126, "count": points, "type": "VEC3"},
        {"bufferView": 2, "componentType": 5123, "count": indices, "type": "SCALAR"},
    ]  # fmt: skip
    primitive = {"attributes": {"POSITION": 0, "COLOR_0": 1}, "indices": 2}
    return {
        "asset": {"version": "2.0", "generator": "sandbox"},
        "scene": 0, "scenes": [{"nodes": [0]}], "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "buffers": [{"byteLength": 2 * floats + size}],
        "bufferViews": views, "accessors": accessors,
    }  # fmt: skip


def _file(scene: dict[str, object], binary: bytes) -> bytes:
    text = json.dumps(scene, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = (
        struct.pack("<I4s", len(text), b"JSON") + text
        + struct.pack("<I4s", len(binary), b"BIN\0") + binary
    )  # fmt: skip
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
