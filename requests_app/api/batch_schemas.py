"""Request and response schemas of batches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, StrictStr

from requests_app.api.accepted import NewRequest, NoNulText
from requests_app.api.exact import JsonText
from requests_app.api.schemas import JsonObjectOrNull, ModeWord, StatusWord
from requests_app.batches.checking import object_of
from requests_app.batches.making import MOST_CONCURRENT
from requests_app.batches.sheet import MOST_ROWS
from requests_app.forms.preset import NAME_LENGTH
from requests_app.models import Batch, BatchItem, ItemState

SOURCES = ("rows", "csv", "jsonl", "grid")
State = Literal["ready", "running", "paused", "cancelling", "cancelled", "finished"]


class NewBatch(NewRequest):
    """A batch to make: a preset, or an endpoint and an input with `{{variables}}`; and its rows.

    Exactly one of `rows`, `csv`, `jsonl` and `grid`. Values of `rows`, `jsonl` and `grid` have their types;
    those of `csv` are texts, sent as the type that the endpoint's schema wants.
    """

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "endpoint_id": "fal-ai/flux/dev",
                "input": {"prompt": "a portrait of {{subject}}", "seed": "{{seed}}"},
                "rows": [{"subject": "a cat", "seed": 1}, {"subject": "a dog", "seed": 2}],
                "concurrency": 10,
                "start": True,
            }
        },
    )

    endpoint_id: StrictStr | None = None  # type: ignore[assignment]
    input: dict[str, Any] | None = None  # type: ignore[assignment]
    mode: Literal["queue", "run", "stream"] | None = None  # type: ignore[assignment]
    preset: Annotated[UUID | None, Field(description="instead of `endpoint_id` and `input`")] = None
    name: Annotated[NoNulText, Field(max_length=NAME_LENGTH)] = ""
    concurrency: Annotated[
        int, Field(strict=True, ge=1, le=MOST_CONCURRENT, description="requests open at once")
    ] = 10
    start: Annotated[
        bool, Field(strict=True, description="true: start it at once; false: only store it")
    ] = False
    rows: Annotated[
        list[dict[str, Any]] | None, Field(description=f"at most {MOST_ROWS:,} objects")
    ] = None
    csv: Annotated[StrictStr | None, Field(description="the text of a CSV with a header")] = None
    jsonl: Annotated[StrictStr | None, Field(description="the text of JSON Lines")] = None
    grid: Annotated[
        dict[str, list[Any]] | None,
        Field(description="values by variable; every combination is a row"),
    ] = None

    def options(self) -> dict[str, Any]:
        """Return the platform options that were given."""
        ours = {"preset", "name", "concurrency", "start", *SOURCES}
        return {name: value for name, value in super().options().items() if name not in ours}


class BatchFilters(Schema):
    """Filters of the list, newest first."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[list[State], Field(description="may be repeated")] = []
    cursor: Annotated[UUID | None, Field(description="a `next_cursor`")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ItemFilters(Schema):
    """Filters of a batch's rows, by number."""

    model_config = ConfigDict(extra="forbid")

    state: Annotated[list[ItemState], Field(description="may be repeated")] = []
    after: Annotated[int, Field(ge=0, le=2**31 - 1, description="a row's number")] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class ResultFormat(Schema):
    """How the results are written."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["csv", "jsonl", "zip"] = "jsonl"


class BatchOut(Schema):
    """A batch. The five counts add up to `total`; `left_s`: seconds at the present rate, null if unknown."""

    id: UUID
    name: str
    endpoint_id: str
    mode: ModeWord
    state: State
    note: str
    person: str
    preset: UUID | None
    preset_version: int | None
    columns: list[str]
    concurrency: int
    total: int
    waiting: int
    open: int
    completed: int
    failed: int
    cancelled: int
    left_s: float | None
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    values_removed: bool = Field(
        description="By retention, with the input; rows' `values` are null."
    )

    @staticmethod
    def resolve_id(batch: Batch) -> UUID:
        return batch.public_id

    @staticmethod
    def resolve_person(batch: Batch) -> str:
        return batch.person.get_username()

    @staticmethod
    def resolve_preset(batch: Batch) -> UUID | None:
        return batch.preset.public_id if batch.preset else None

    @staticmethod
    def resolve_left_s(batch: Batch) -> float | None:
        return batch.left.total_seconds() if batch.left else None


class BatchPage(Schema):
    """Batches, newest first; `next_cursor` is null on the last page."""

    items: list[BatchOut]
    next_cursor: UUID | None


class ItemOut(Schema):
    """A row: its values as they were given (null: removed), and the request it became."""

    row: int
    state: ItemState
    values: JsonObjectOrNull
    request_id: UUID | None
    status: StatusWord | None
    error: str

    @staticmethod
    def resolve_row(item: BatchItem) -> int:
        return item.number

    @staticmethod
    def resolve_values(item: BatchItem) -> JsonText:
        return JsonText(object_of(item.batch.columns, item.values))

    @staticmethod
    def resolve_request_id(item: BatchItem) -> UUID | None:
        return item.request.public_id if item.request else None

    @staticmethod
    def resolve_status(item: BatchItem) -> str | None:
        return item.request.status if item.request else None

    @staticmethod
    def resolve_error(item: BatchItem) -> str:
        return item.request.error if item.request else ""


class ItemPage(Schema):
    """Rows by number; pass `next_after` as `after`. It is null at the end."""

    items: list[ItemOut]
    next_after: int | None


class Acted(Schema):
    """Whether the call changed something, and the batch as it is now.

    `left_out`: failed rows that a retry left as they are, since their requests were given up and fal may
    have run them.
    """

    done: bool
    batch: BatchOut
    left_out: int = 0
