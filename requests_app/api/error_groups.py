"""Errors grouped, for programs: the paths under /api/v1/errors/."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from django.http import Http404
from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field, StrictStr

from requests_app.api.auth import ACTS_ON_ROWS, READS_ROWS, ApiRequest
from requests_app.error_groups import deciding
from requests_app.error_groups.shelf import (
    DAY,
    GroupFilters,
    GroupShelf,
    Trend,
    find_group,
    name_of,
    trends,
)
from requests_app.models import ApiToken, ErrorGroup, GroupState
from requests_app.rules.error_sentence import id_of

router = Router(tags=["errors"])

MOST_PAGES = 1000


class StateAsked(StrEnum):
    """Which groups: of one state, or all."""

    OPEN = "open"
    RESOLVED = "resolved"
    IGNORED = "ignored"
    ALL = "all"


class GroupOrder(StrEnum):
    """Newest first, or the largest."""

    LAST_SEEN = "last_seen"
    COUNT = "count"
    PEOPLE = "people"


class ErrorFilters(Schema):
    """Filters of the list."""

    model_config = ConfigDict(extra="forbid")

    state: StateAsked = StateAsked.OPEN
    endpoint: Annotated[str, Field(max_length=300, description="a whole endpoint id")] = ""
    type: Annotated[str, Field(max_length=80, description="an error type")] = ""
    person: Annotated[str, Field(max_length=150, description="a user's name")] = ""
    sort: GroupOrder = GroupOrder.LAST_SEEN
    page: Annotated[int, Field(ge=1, le=MOST_PAGES)] = 1
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ErrorGroupOut(Schema):
    """A group of failures that are alike. `search` finds its requests; counts are of requests that are kept."""

    id: str
    endpoint_id: str
    error_type: str
    sentence: str
    state: GroupState
    regressed: bool
    count: int
    day: int
    week: int
    people: int
    first_seen: datetime
    last_seen: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    search: str
    hidden: Annotated[
        bool,
        Field(
            description="The token's user may not see inputs and outputs: `sentence` and `search` are empty."
        ),
    ]


class ErrorGroupPage(Schema):
    """One page of groups; `next_page` is null on the last."""

    items: list[ErrorGroupOut]
    next_page: int | None


class DecisionNote(Schema):
    """Why; the team sees it."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": {"note": "mended"}})

    note: Annotated[StrictStr, Field(max_length=deciding.LONGEST_NOTE)] = ""


class GroupDecided(Schema):
    """Whether the call changed anything, and the group as it is now."""

    done: bool
    group: ErrorGroupOut


@router.get(
    "",
    auth=READS_ROWS,
    response={200: ErrorGroupPage},
    summary="List groups of errors",
)
def list_errors(request: ApiRequest, filters: Query[ErrorFilters]) -> dict[str, Any]:
    """Failures of the team that are alike: same endpoint, error type, and sentence without what differs."""
    sort = "" if filters.sort == GroupOrder.LAST_SEEN else filters.sort.value
    asked = GroupFilters(
        state=filters.state.value, endpoint=filters.endpoint, kind=filters.type, by=filters.person,
        sort=sort, page=filters.page,
    )  # fmt: skip
    now = timezone.now()
    shelf = GroupShelf(request.auth.team, now, asked, sees=request.auth.sees)
    groups, has_more = shelf.page(filters.limit)
    return {
        "items": _told(groups, now),
        "next_page": filters.page + 1 if has_more and filters.page < MOST_PAGES else None,
    }


@router.get(
    "{id}/",
    auth=READS_ROWS,
    response={200: ErrorGroupOut},
    summary="Read a group of errors",
)
def read_error(request: ApiRequest, id: str) -> dict[str, Any]:
    """How often, for whom, and what was decided."""
    return _one(_get_or_404(request.auth, id))


_DECIDED: dict[int, Any] = {
    200: GroupDecided
}  # fmt: skip


@router.post(
    "{id}/resolve/",
    auth=ACTS_ON_ROWS,
    response=_DECIDED,
    summary="Resolve a group of errors",
)
def resolve(request: ApiRequest, id: str, payload: DecisionNote) -> dict[str, Any]:
    """Mended: should it come again, it is open again and `regressed`."""
    return _decide(request, id, deciding.resolve, payload.note)


@router.post(
    "{id}/ignore/",
    auth=ACTS_ON_ROWS,
    response=_DECIDED,
    summary="Ignore a group of errors",
)
def ignore(request: ApiRequest, id: str, payload: DecisionNote) -> dict[str, Any]:
    """It may come again and stays out of the way."""
    return _decide(request, id, deciding.ignore, payload.note)


@router.post(
    "{id}/reopen/",
    auth=ACTS_ON_ROWS,
    response=_DECIDED,
    summary="Reopen a group of errors",
)
def reopen(request: ApiRequest, id: str, payload: DecisionNote) -> dict[str, Any]:
    """It needs attention after all."""
    return _decide(request, id, deciding.reopen, payload.note)


def _decide(
    request: ApiRequest, group_id: str, decide: Callable[..., bool], note: str
) -> dict[str, Any]:
    group = _get_or_404(request.auth, group_id)
    done = decide(group, person=request.auth.user, now=timezone.now(), note=note)
    return {"done": done, "group": _one(_get_or_404(request.auth, group_id))}


def _get_or_404(token: ApiToken, group_id: str) -> ErrorGroup:
    """Return the team's group; a foreign, an unknown and a malformed id raise the same Http404."""
    found = find_group(token.team_id, group_id, sees=token.sees)
    if found is None:
        raise Http404
    return found


def _one(group: ErrorGroup) -> dict[str, Any]:
    return _told([group], timezone.now())[0]


def _told(groups: list[ErrorGroup], now: datetime) -> list[dict[str, Any]]:
    by_group = trends(groups, now, part=DAY, parts=7)
    return [_out(group, by_group[group.pk]) for group in groups]


def _out(group: ErrorGroup, trend: Trend) -> dict[str, Any]:
    return {
        "id": name_of(group), "endpoint_id": group.endpoint_id, "error_type": group.error_type,
        "sentence": group.sentence, "state": group.state, "regressed": group.is_regressed,
        "count": group.count, "day": trend.day, "week": trend.week, "people": group.people,
        "first_seen": group.first_seen, "last_seen": group.last_seen, "resolved_at": group.resolved_at,
        "resolved_by": group.resolved_by.get_username() if group.resolved_by else None,
        "search": "" if group.is_hidden else f"group:{id_of(group.key)}", "hidden": group.is_hidden,
    }  # fmt: skip
