"""Request schemas. Field names are the model's; unknown fields are refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Schema
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    create_model,
)

from requests_app import search
from requests_app.api.body import member_text
from requests_app.fal.option_kinds import (
    Choice,
    Count,
    JsonObject,
    OnOff,
    OptionKind,
    Seconds,
    Switch,
    Tags,
)
from requests_app.fal.option_kinds import (
    Text as FreeText,
)
from requests_app.fal.options import OPTIONS, Option
from requests_app.models import Mode, Status
from requests_app.request_input import Draft, parse_draft
from requests_app.rules.json_bounds import BOUNDS
from requests_app.rules.tag_names import LONGEST, MOST_TAGS
from requests_app.search.sorting import MOST_SORTED


def no_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("NUL characters are not taken.")
    return text


def _no_number(text: object) -> object:
    """Refuse what pydantic takes for seconds since 1970, or for milliseconds when there are many."""
    if isinstance(text, str) and _NUMBER.fullmatch(text.strip()):
        raise ValueError("Give a date and time, such as 2026-11-30T12:00:00Z.")
    return text


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("The time is out of range.") from None


_NUMBER = re.compile(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", re.IGNORECASE)
NoNulText = Annotated[str, AfterValidator(no_nul)]
Moment = Annotated[AwareDatetime, BeforeValidator(_no_number), AfterValidator(_in_utc)]


EXAMPLE: dict[str, Any] = {
    "endpoint_id": "fal-ai/flux/dev",
    "input": {"prompt": "a lighthouse at dusk"},
    "mode": "queue",
}


def _type_of(option: Option) -> Any:
    kind = option.kind
    if isinstance(kind, Choice):
        return Literal[tuple(kind.words)]
    if isinstance(kind, Count):
        return Annotated[StrictInt, Field(ge=kind.least, le=kind.most)]
    if isinstance(kind, JsonObject):
        return dict[str, Any] | StrictStr
    return _TYPES[type(kind)]


_TYPES: Mapping[type[OptionKind], Any] = {
    Seconds: Annotated[float, Field(strict=True)],
    Switch: StrictBool,
    OnOff: StrictBool,
    Tags: dict[str, StrictStr] | StrictStr,
    FreeText: StrictStr,
}


def _field_of(option: Option) -> Any:
    """Build an option's field; null or left out means fal's default."""
    words = [option.label, option.help, f"As {option.query or option.headers[0]}."]
    words.append(f"fal heeds it in the modes {', '.join(option.modes)}.")
    description = " ".join(word if word.endswith(".") else f"{word}." for word in words if word)
    return Annotated[_type_of(option) | None, Field(description=description)], None


_Options: Any = create_model(
    "PlatformOptions", __base__=Schema, **{one.name: _field_of(one) for one in OPTIONS}
)


class NewRequest(_Options):  # type: ignore[misc]
    """A request to make."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": EXAMPLE})

    endpoint_id: StrictStr
    input: Annotated[dict[str, Any], Field(description=f"fal's input; at most {BOUNDS}.")]
    mode: Literal["queue", "run", "stream"] = "queue"
    allow_duplicate: Annotated[
        StrictBool,
        Field(description="Submit even while the same input is running or has just run."),
    ] = False
    own_tags: Annotated[
        list[StrictStr],
        Field(
            max_length=MOST_TAGS,
            description=f"The team's own tags, up to {MOST_TAGS} of {LONGEST} characters: `tag:name` in a search "
            "finds them. (`tags` are fal's.)",
        ),
    ] = []
    headers: Annotated[
        dict[str, StrictStr],
        Field(
            description="fal's platform headers as it documents them, which become the option of that "
            "meaning, and headers of your own app."
        ),
    ] = {}

    def options(self) -> dict[str, Any]:
        """Return the platform options that were given."""
        given: dict[str, Any] = self.model_dump(
            exclude={"endpoint_id", "input", "mode", "allow_duplicate", "own_tags"},
            exclude_none=True,
        )
        return given


def draft_of(request: HttpRequest, payload: NewRequest) -> Draft:
    """Return what is to be sent, with the input as it was written. Raises InvalidDraft."""
    return parse_draft(
        endpoint_id=payload.endpoint_id,
        mode=payload.mode,
        input=member_text(request, "input"),
        options=payload.options(),
        tags=payload.own_tags,
    )


class Filters(Schema):
    """Filters of the list, newest first unless another order is asked for."""

    model_config = ConfigDict(extra="forbid")

    status: Annotated[list[Status], Field(description="may be repeated")] = []
    endpoint_id: Annotated[NoNulText | None, Field(max_length=300)] = None
    mode: Mode | None = None
    person: Annotated[NoNulText | None, Field(max_length=150, description="a user name")] = None
    batch: Annotated[
        UUID | None, Field(description="a batch's id; of each row its newest request")
    ] = None
    q: Annotated[
        NoNulText | None,
        Field(max_length=search.MAX_LENGTH, description="as in the search box of the list"),
    ] = None
    created_after: Moment | None = None
    created_before: Moment | None = None
    sort: Annotated[
        Literal["oldest", "longest", "shortest", "costliest", "endpoint"] | None,
        Field(
            description="instead of newest first; by duration, cost or endpoint with filters: of the newest "
            f"{MOST_SORTED:,} that match"
        ),
    ] = None
    cursor: Annotated[str | None, Field(max_length=200, description="a `next_cursor`")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
