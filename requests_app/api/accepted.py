"""What the API accepts. Field names are the model's; anything unknown is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, ConfigDict, Field, StrictBool, StrictStr

from requests_app import search
from requests_app.models import Mode, Status


def _no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL characters are not taken.")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("The time is out of range.") from None


Text = Annotated[str, AfterValidator(_no_nul)]
Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


EXAMPLE: dict[str, Any] = {
    "endpoint_id": "fal-ai/flux/dev",
    "input": {"prompt": "a lighthouse at dusk"},
    "mode": "queue",
}


class NewRequest(Schema):
    """A request to make."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})

    endpoint_id: StrictStr
    input: dict[str, Any]
    mode: Literal["queue", "run", "stream"] = "queue"
    headers: Annotated[dict[str, StrictStr], Field(description="own x-… headers")] = {}
    priority: Literal["normal", "low"] | None = None
    start_timeout: Annotated[
        float | None, Field(description="seconds until it must have started", strict=True)
    ] = None
    no_retry: StrictBool | None = None
    store_io: Annotated[
        StrictBool | None, Field(description="false: fal does not store input and output")
    ] = None
    runner_hint: StrictStr | None = None

    def options(self) -> dict[str, Any]:
        """The platform options that were given."""
        return self.model_dump(exclude={"endpoint_id", "input", "mode"}, exclude_none=True)


class Filters(Schema):
    """Which rows, newest first."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[list[Status], Field(description="may be repeated")] = []
    endpoint_id: Annotated[Text | None, Field(max_length=300)] = None
    mode: Mode | None = None
    person: Annotated[Text | None, Field(max_length=150, description="a user name")] = None
    q: Annotated[
        Text | None,
        Field(max_length=search.MAX_LENGTH, description="as in the search box of the list"),
    ] = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    cursor: Annotated[str | None, Field(max_length=200, description="a `next_cursor`")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
