"""Response schemas. Field names are the model's."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Any, Literal, get_args
from uuid import UUID

from django.db.models import QuerySet
from ninja import Field, Schema
from pydantic import WithJsonSchema

from requests_app.api.exact import JsonText
from requests_app.display.marks import own_names
from requests_app.display.output_download import output_column
from requests_app.models import (
    CostState,
    Delivery,
    Direction,
    FalDeletion,
    FalDeletionState,
    FalRequest,
    LogLine,
    Mode,
    Observation,
    RequestOrigin,
    Source,
    Status,
)
from requests_app.request_input import SPACE, InvalidInput, parse_input
from requests_app.rules.stream_event import Says
from requests_app.webhooks.deliveries import Verdict

INLINE_BYTES = 4 * 1024 * 1024  # a larger output comes from `output/` only
WORDS = "x-words"  # in a schema: the name under which description.py keeps its words
NEWEST = 1000  # log lines, observations and deliveries in a response; `events/` has them all


def words(choices: type[Enum]) -> WithJsonSchema:
    """Name the words in the schema. What is stored is told all the same, should it be none of them."""
    listed = [one.value for one in choices]
    return WithJsonSchema({"type": "string", "enum": listed, WORDS: choices.__name__})


StatusWord = Annotated[str, words(Status)]
ModeWord = Annotated[str, words(Mode)]
OriginWord = Annotated[str, words(RequestOrigin)]
SourceWord = Annotated[str, words(Source)]
DirectionWord = Annotated[str, words(Direction)]
FrameKind = Literal["event", "msgpack", "json", "text", "binary", "control"]
_FRAME_KIND = WithJsonSchema(
    {"type": "string", "enum": list(get_args(FrameKind)), WORDS: "FrameKind"}
)


class RequestOut(Schema):
    """A request without its large parts."""

    id: UUID
    team: str
    person: str
    origin: OriginWord | None = Field(
        description="page, api, gateway, batch, again or imported; null: not known."
    )
    endpoint_id: str
    mode: ModeWord
    summary: str
    seed: str | None = Field(description="fal's, or the input's.")
    options: dict[str, Any]
    headers: dict[str, str]
    status: StatusWord
    seq: int
    fal_request_id: str
    queue_position: int | None
    cancel_asked_at: datetime | None
    cancel_answer: str
    metrics: dict[str, Any]
    output_type: str
    output_size: int
    billable_units: str = Field(description="As fal told them with the result; empty: not told.")
    cost: str | None = Field(description="The billed units at fal's price; null: see `cost_state`.")
    cost_currency: str | None
    cost_state: CostState = Field(
        description="known; pending: it may still come; unknown: fal told no units, or no price for them."
    )
    error: str
    error_type: str
    error_code: int | None
    created_at: datetime
    sent_at: datetime | None
    accepted_at: datetime | None
    started_at: datetime | None
    started_at_is_derived: bool
    ended_at: datetime | None
    again_of: UUID | None
    own_tags: list[str] = Field(description="The team's; what fal is told is in `options`.")
    starred: bool = Field(description="By the token's user.")
    hidden: bool = Field(
        description="The token's user may not see inputs and outputs in this team: what is made of them is empty, "
        "and `error` has the kind alone."
    )

    @staticmethod
    def resolve_id(row: FalRequest) -> UUID:
        """Return the public id; the database's own key is never shown."""
        return row.public_id

    @staticmethod
    def resolve_team(row: FalRequest) -> str:
        """Return the team's name."""
        return row.team.name

    @staticmethod
    def resolve_person(row: FalRequest) -> str:
        """Return the name of the user who created it."""
        return row.person.get_username()

    @staticmethod
    def resolve_headers(row: FalRequest) -> dict[str, str]:
        """Return the caller's own headers, which are also in `options`."""
        headers: dict[str, str] = row.options.get("headers", {})
        return headers

    @staticmethod
    def resolve_again_of(row: FalRequest) -> UUID | None:
        """Return the public id of the request this one repeats (see `rows.of`)."""
        again_of: UUID | None = row.again_of_public_id  # type: ignore[attr-defined]
        return again_of

    @staticmethod
    def resolve_cost(row: FalRequest) -> str | None:
        """Return the amount with its digits and without a sign."""
        return None if row.cost is None else f"{row.cost.normalize():f}"

    @staticmethod
    def resolve_hidden(row: FalRequest) -> bool:
        return row.is_hidden

    @staticmethod
    def resolve_own_tags(row: FalRequest) -> list[str]:
        return own_names(row)

    @staticmethod
    def resolve_starred(row: FalRequest) -> bool:
        """Return the star of the token's user (see `rows.of`)."""
        starred: bool = row.is_starred  # type: ignore[attr-defined]
        return starred


class LogLineOut(Schema):
    """One line of fal's log."""

    id: int
    timestamp: str
    level: str
    source: str
    message: str


class ObservationOut(Schema):
    """One change, and its source."""

    seq: int
    kind: str
    source: SourceWord
    status: StatusWord
    note: str
    data: dict[str, Any]
    asked_at: datetime
    heard_at: datetime

    @staticmethod
    def resolve_seq(observation: Observation) -> int:
        """Return its id, which is the row's version after it."""
        return observation.pk


class FrameOut(Schema):
    """One event of a stream, or one message of a session: `direction` is in or out, seen from here.

    `kind`: event (of a stream), msgpack, json, text, binary or control (fal's message about the
    session). `pair`: for an incoming message, the number of the one it answers; `rtt_ms`: how long
    that took. Both are null unless they are certain. `says`: what an event of a stream means for
    the outcome: output, error, note (progress, usage, an end), nothing (empty, a keep-alive) or
    part (the stream ended in the middle of it); null for other frames.
    """

    number: int
    offset_ms: float
    direction: DirectionWord
    kind: Annotated[str, _FRAME_KIND]
    event: str
    event_id: str
    data: str
    size: int
    pair: int | None
    rtt_ms: float | None
    says: Annotated[str, words(Says)] | None


class DeliveryOut(Schema):
    """One webhook POST and our verdict."""

    received_at: datetime
    verdict: Annotated[str, words(Verdict)]
    note: str
    body_size: int


_OBJECT = {"type": "object", "additionalProperties": True}
ANY_BYTES = "application/octet-stream"  # a content type that says nothing of the bytes
_LIST: dict[str, Any] = {"type": "array", "items": {}}
_SINGLE = [{"type": kind} for kind in ("string", "number", "boolean", "null")]
JsonObject = Annotated[Any, WithJsonSchema(_OBJECT)]
JsonObjectOrNull = Annotated[Any, WithJsonSchema({"anyOf": [_OBJECT, {"type": "null"}]})]
AnyJson = Annotated[Any, WithJsonSchema({"anyOf": [_OBJECT, _LIST, *_SINGLE]})]


class FalDeletionOut(Schema):
    """What fal answered when it was asked to delete input, output and the output's files.

    `done`; `refused`: mostly because the key may not; `unknown`: fal has nothing under the id; `unreachable`: no
    answer in three days; `waiting`: it is asked, or asked again at `due_at`.
    """

    state: Annotated[str, words(FalDeletionState)]
    note: str
    tries: int
    asked_at: datetime
    due_at: datetime | None
    ended_at: datetime | None


class RequestDetail(RequestOut):
    """A request with its input and output.

    `output` is null when there is none yet, when it is not JSON and when it is larger than 4 MiB;
    see `output_type` and `output_size`, and `output/` for the bytes. Of logs, observations and
    deliveries the newest 1000 are included, oldest first. `payload_removed_at` and
    `frames_removed_at` say when a user or the team's retention deleted them; input is null then.
    `fal_deletion` says what fal was asked to delete, null: nothing. Input and output are included
    as they were sent and received, digit for digit.
    """

    input: JsonObjectOrNull
    output: AnyJson
    logs: list[LogLineOut]
    observations: list[ObservationOut]
    deliveries: list[DeliveryOut]
    payload_removed_at: datetime | None
    frames_removed_at: datetime | None
    fal_deletion: FalDeletionOut | None

    @staticmethod
    def resolve_fal_deletion(row: FalRequest) -> FalDeletion | None:
        if row.payload_removed_at is None:
            return None
        return FalDeletion.objects.filter(team=row.team_id, public_id=row.public_id).first()

    @staticmethod
    def resolve_input(row: FalRequest) -> Any:
        """Return the very text that is sent; it was validated as strict JSON."""
        return JsonText(row.input_text) if row.input_text else None

    @staticmethod
    def resolve_output(row: FalRequest) -> Any:
        """Return the text that came, if it is JSON that every client can read."""
        if not 0 < row.output_size <= INLINE_BYTES or row.payload_removed_at is not None:
            return None
        try:
            text = (output_column(row) or b"").decode()
            parse_input(text)
        except (UnicodeDecodeError, InvalidInput):
            return None
        return JsonText(text.strip(SPACE) or "{}")

    @staticmethod
    def resolve_logs(row: FalRequest) -> list[LogLine]:
        return [] if row.is_hidden else _newest(row.log_lines.all())

    @staticmethod
    def resolve_observations(row: FalRequest) -> list[Observation]:
        """Return the newest changes; of a hidden request what people noted is all that they say."""
        found: list[Observation] = _newest(row.observations.all())
        for one in found if row.is_hidden else ():
            if one.source != Source.PERSON:
                one.note, one.data = "", {}
        return found

    @staticmethod
    def resolve_deliveries(row: FalRequest) -> list[Delivery]:
        """Return the newest webhook POSTs, without their bodies."""
        return [] if row.is_hidden else _newest(row.deliveries.defer("body", "headers"))


# In OpenAPI 3.1 the schema of a stream is that of each event; `RequestEvent` has them with their data decoded.
_EVENT = {
    "type": "object",
    "properties": {
        "event": {"type": "string", "enum": ["status", "log", "frame", "end"]},
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json"},
    },
    "required": ["event", "id", "data"],
}
_OTHER: dict[str, dict[str, Any]] = {"application/json": {}, "text/event-stream": _EVENT}


class RequestPage(Schema):
    """One page of rows; `next_cursor` is null on the last."""

    items: list[RequestOut]
    next_cursor: UUID | None


class CancelOut(Schema):
    """The result of the cancel, and the row as it is now.

    "cancelled": it had not been sent. "asked": fal is told, and its answer comes as an
    observation. "ended": there was nothing left to cancel.
    """

    answer: Annotated[
        str, WithJsonSchema({"type": "string", "enum": ["cancelled", "asked", "ended"]})
    ]
    request: RequestOut


class Problem(Schema):
    """An error, in a sentence."""

    detail: str


class DuplicateProblem(Problem):
    """The same input is running, or has just run, as this request."""

    id: UUID


class FieldProblem(Schema):
    """An error in one field."""

    loc: list[str | int]
    msg: str
    type: str


class FieldProblems(Schema):
    """Errors, field by field."""

    detail: list[FieldProblem]


def replies_with(*types: str, codes: tuple[int, ...] = (200,)) -> dict[str, Any]:
    """Describe replies of one of these content types: bytes, events, or JSON that a team's own requests decide."""
    content = {
        one.partition(";")[0]: {"schema": _OTHER.get(one, {"type": "string", "format": "binary"})}
        for one in types
    }
    return {"responses": {code: {"content": content} for code in codes}}


def _newest(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.order_by("-id")[:NEWEST])[::-1]
