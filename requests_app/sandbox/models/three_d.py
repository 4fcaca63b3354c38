"""`sandbox/mesh/multi-image-to-3d`: a .glb from pictures."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from requests_app.sandbox.media import meshes

from .base import Context, Endpoint
from .files import in_thread, keep, picture, seed_of
from .shapes import SAMPLES, File, Shape


class MeshInput(Shape):
    image_urls: list[str] = Field(
        examples=[[f"{SAMPLES}/hill-from-the-left.jpg", f"{SAMPLES}/hill-from-the-right.jpg"]]
    )
    seed: int | None = None
    ss_guidance_strength: float = Field(7.5, ge=0, le=10)
    ss_sampling_steps: int = Field(12, ge=1, le=50)
    mesh_simplify: float = Field(0.95, ge=0.9, le=0.98)
    texture_size: Literal[512, 1024, 2048] = 1024
    multiimage_algo: Literal["stochastic", "multidiffusion"] = "stochastic"


class MeshOutput(Shape):
    model_mesh: File = Field(description="The 3D model.")
    timings: dict[str, float]


async def run(given: MeshInput, context: Context) -> MeshOutput:
    for number, url in enumerate(given.image_urls[:8]):
        await picture(url, context, "image_urls", number)
    await context.work(given.ss_sampling_steps, 3)
    data = await in_thread(meshes.glb, seed_of(given.seed))
    mesh = keep(data, "model/gltf-binary", "glb", context)
    return MeshOutput(model_mesh=mesh, timings={"sampling": 2.4, "meshing": 0.6})


ENDPOINTS = [
    Endpoint(
        id="sandbox/mesh/multi-image-to-3d", title="Mesh lookalike", category="image-to-3d",
        description="A 3D model from several pictures.",
        input=MeshInput, output=MeshOutput, run=run, capacity=1,
    )
]  # fmt: skip
