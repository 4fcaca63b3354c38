"""Request and response schemas of bulk actions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from ninja import Schema
from pydantic import ConfigDict, Field, StrictStr

from requests_app import search
from requests_app.api.accepted import NoNulText
from requests_app.forms.bulk import MOST_TICKED
from requests_app.models import BulkAction, BulkItem, BulkVerb, Outcome
from requests_app.rules.tag_names import MOST_TAGS

BulkStateOut = Literal["running", "paused", "stopped", "finished"]
WITHHELD = "null: its words may be of inputs that the token's user may not see"


class NewBulk(Schema):
    """An action on many requests: those of `ids`, or all that match `q` (empty: all of the team)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"verb": "cancel", "q": "endpoint:acme/* status:active", "dry_run": True}
        },
    )

    verb: BulkVerb
    ids: Annotated[list[UUID] | None, Field(max_length=MOST_TICKED, min_length=1)] = None
    q: Annotated[
        NoNulText | None,
        Field(max_length=search.MAX_LENGTH, description="as in the search box of the list"),
    ] = None
    dry_run: Annotated[
        bool, Field(strict=True, description="true: only count; nothing is stored or done")
    ] = False
    expected: Annotated[
        int | None,
        Field(
            strict=True,
            ge=0,
            description="how many requests you expect at most, as `eligible` of a dry run says; "
            "needed unless `dry_run`",
        ),
    ] = None
    tags: Annotated[
        list[StrictStr],
        Field(max_length=MOST_TAGS, description="of `tag` and `untag`, which need some"),
    ] = []
    at_fal: Annotated[
        bool,
        Field(
            strict=True,
            description="of `payload` and `delete`: fal is asked as well to delete what it keeps, for which a key needs "
            "the scope ADMIN",
        ),
    ] = False
    reason: Annotated[NoNulText, Field(max_length=300)] = ""


class NotActedOn(Schema):
    """Requests that the action is not for."""

    why: str
    count: int


class BulkPreviewOut(Schema):
    """What the action would do. `uncertain`: those of the eligible that fal may have run already."""

    eligible: int
    left_out: list[NotActedOn]
    uncertain: int


class BulkOut(Schema):
    """A bulk action. The four counts add up to `total`; `left_s`: seconds at the present rate, or null."""

    id: UUID
    verb: BulkVerb
    search: Annotated[str | None, Field(description=WITHHELD)]
    by_hand: bool
    tags: list[str]
    at_fal: bool
    reason: str
    person: str
    state: BulkStateOut
    note: str
    total: int
    waiting: int
    done: int
    skipped: int
    failed: int
    left_out: list[NotActedOn]
    left_s: float | None
    created_at: datetime
    ended_at: datetime | None

    @staticmethod
    def resolve_id(bulk: BulkAction) -> UUID:
        return bulk.public_id

    @staticmethod
    def resolve_search(bulk: BulkAction, context: dict[str, Any]) -> str | None:
        return search.told_search(bulk.search, sees=context["request"].auth.sees)

    @staticmethod
    def resolve_tags(bulk: BulkAction) -> list[str]:
        return bulk.tag_names

    @staticmethod
    def resolve_person(bulk: BulkAction) -> str:
        return bulk.person.get_username()

    @staticmethod
    def resolve_done(bulk: BulkAction) -> int:
        return bulk.succeeded

    @staticmethod
    def resolve_left_out(bulk: BulkAction) -> list[dict[str, object]]:
        return [{"why": why, "count": count} for why, count in bulk.left_out]

    @staticmethod
    def resolve_left_s(bulk: BulkAction) -> float | None:
        return bulk.left.total_seconds() if bulk.left else None


class BulkPage(Schema):
    """One page of actions; `next_cursor` is null on the last."""

    items: list[BulkOut]
    next_cursor: UUID | None


class BulkFilters(Schema):
    """Filters of the list, newest first."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[UUID | None, Field(description="a `next_cursor`")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class OutcomeFilters(Schema):
    """Filters of an action's requests, in their order."""

    model_config = ConfigDict(extra="forbid")

    outcome: Annotated[list[Outcome], Field(description="may be repeated")] = []
    after: Annotated[int, Field(ge=0, le=2**63 - 1, description="a `next_after`")] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class OutcomeOut(Schema):
    """What came of one request. `request` is null once retention has removed it."""

    request: UUID | None
    outcome: Outcome
    note: str
    repeat: UUID | None

    @staticmethod
    def resolve_request(item: BulkItem) -> UUID | None:
        return item.request.public_id if item.request else None

    @staticmethod
    def resolve_repeat(item: BulkItem) -> UUID | None:
        return item.repeat.public_id if item.repeat else None


class OutcomePage(Schema):
    """One page of outcomes; `next_after` is null on the last."""

    items: list[OutcomeOut]
    next_after: int | None


class BulkActed(Schema):
    """Whether the call changed anything, and the action as it is now."""

    done: bool
    bulk: BulkOut
