"""What of a run's file is read, and how it has to look. Names that are not known are ignored."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BaseModel, Field

EARLIEST, LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def _iso(text: str) -> str:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None or not EARLIEST <= at <= LATEST:
        raise ValueError("a time with its zone is wanted")
    return text


Moment = Annotated[AwareDatetime, Field(ge=EARLIEST, le=LATEST)]

Number = Annotated[int, Field(ge=0, le=2**31 - 1)]


class ToldFacts(BaseModel):
    """`request` in run.json, as far as columns are made of it."""

    id: UUID
    by: Annotated[str, Field(max_length=300)]
    endpoint_id: str
    mode: str
    status: str
    fal_request_id: Annotated[str, Field(max_length=200)] = ""
    gateway_request_id: Annotated[str, Field(max_length=200)] = ""
    output_type: Annotated[str, Field(max_length=200)] = ""
    output_size: Annotated[int, Field(ge=0)] = 0
    error: str = ""
    error_type: Annotated[str, Field(max_length=80)] = ""
    error_code: Annotated[int, Field(ge=0, le=9999)] | None = None
    options: dict[str, Any]
    metrics: dict[str, Any]
    times: dict[str, Moment | None]


class ListedFile(BaseModel):
    """A file of the zip."""

    name: str
    size: int
    sha256: str


class ToldMedium(BaseModel):
    """A file that input or output name. `file`: its name in the zip, where it has it."""

    url: str
    file: str | None = None


class ToldOrigin(BaseModel):
    """The installation that made the file."""

    site: str = ""


class ToldRun(BaseModel):
    """run.json."""

    format: Literal["faldeck-run"]
    exported_from: ToldOrigin = ToldOrigin()
    request: ToldFacts
    tags: list[str]
    media: list[ToldMedium] = []
    schema_first_seen_at: Moment | None = None
    content: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    files: list[ListedFile]


class LogsLine(BaseModel):
    """A line of logs.jsonl."""

    timestamp: str
    level: str
    source: str
    message: str


class FramesLine(BaseModel):
    """A line of frames.jsonl."""

    number: Annotated[int, Field(ge=1, le=2**31 - 1)]
    offset_ms: Annotated[float, Field(allow_inf_nan=False)]
    direction: Literal["in", "out"]
    kind: Annotated[str, Field(max_length=8)]
    event: Annotated[str, Field(max_length=100)]
    event_id: Annotated[str, Field(max_length=200)]
    data: str
    size: Number
    pair: Number | None = None
    rtt_ms: Annotated[float, Field(allow_inf_nan=False)] | None = None
    says: Annotated[str, Field(max_length=8)] | None = None
    raw: str | None = None


class DeliveriesLine(BaseModel):
    """A line of deliveries.jsonl."""

    received_at: Moment
    verdict: Annotated[str, Field(max_length=30)]
    note: str
    headers: dict[str, str]
    body_size: Number
    body: str


class ObservationsLine(BaseModel):
    """A line of observations.jsonl: it is kept as it came, but for what a page reads of it."""

    kind: str
    note: str
    heard_at: Annotated[str, AfterValidator(_iso)]
