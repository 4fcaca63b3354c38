"""`sandbox/patient`: long work that listens to cancellation."""

from __future__ import annotations

from pydantic import BaseModel, Field

from .base import Cancelled, Context, Endpoint


class PatientInput(BaseModel):
    seconds: float = Field(
        30, ge=0, le=3600, description="How long to work, in seconds.", examples=[30]
    )


class PatientOutput(BaseModel):
    seconds: float
    message: str


async def run(given: PatientInput, context: Context) -> PatientOutput:
    context.log(f"Working for {given.seconds:g} s, or until cancelled", "INFO")
    try:
        await context.sleep(given.seconds)
    except Cancelled:
        context.log("Cancelled: cleaning up", "WARN")
        raise
    return PatientOutput(seconds=given.seconds, message="Nobody cancelled me.")


ENDPOINTS = [
    Endpoint(
        id="sandbox/patient",
        title="Patient work",
        description="Takes its time, and stops as soon as it is cancelled.",
        input=PatientInput,
        output=PatientOutput,
        run=run,
        capacity=8,
        obeys_cancel=True,
    )
]
