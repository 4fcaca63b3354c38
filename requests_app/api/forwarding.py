"""Destinations of forwarding and what was sent there, for programs of owners and admins, as on the pages.

An address is written and never read; a secret is in the answer to the call that made it alone.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from django.db.models import QuerySet
from django.utils import timezone
from ninja import Query, Router, Schema, Status
from pydantic import ConfigDict, Field, StrictBool

from requests_app.api.accepted import NoNulText
from requests_app.api.auth import MANAGES, MANAGES_ROWS, READS_ROWS, ApiRequest
from requests_app.api.logs import LAST
from requests_app.api.notices import Address, ensure_manages, ensure_valid, get_or_404
from requests_app.api.schemas import words
from requests_app.forms.forwarding import DestinationForm
from requests_app.forwarding import keeping
from requests_app.forwarding.keeping import ForwardRefused, WantedDestination
from requests_app.models import (
    ForwardAttempt,
    ForwardDestination,
    ForwardEvent,
    ForwardMessage,
    ForwardState,
    conceal_answer,
)
from requests_app.request_input import InvalidDraft

router = Router(tags=["forwarding"])

_FIELDS = {
    ForwardEvent.DELIVERY: "deliveries",
    ForwardEvent.COMPLETED: "completed",
    ForwardEvent.FAILED: "failed",
    ForwardEvent.CANCELLED: "cancelled",
}
EventWord = Annotated[str, words(ForwardEvent)]
StateWord = Annotated[str, words(ForwardState)]


class ChangedDestination(Schema):
    """A destination as it is to be. Without an address it keeps the one it has."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[NoNulText, Field(max_length=60)]
    address: Address = ""
    pattern: Annotated[
        NoNulText, Field(description="an endpoint id, or the beginning of ids with a *; empty: all")
    ] = ""
    events: Annotated[list[ForwardEvent], Field(max_length=10)]
    is_on: StrictBool = True


class NewDestination(ChangedDestination):
    """A program of the team that takes POSTs."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "name": "crm",
                "address": "https://crm.acme.org/hooks/fal",
                "events": ["fal.delivery", "request.failed"],
            }
        },
    )


class DestinationOut(Schema):
    """A destination; `shown` is what of its address is no secret."""

    id: int
    name: str
    shown: str
    pattern: str
    events: list[EventWord]
    is_on: bool
    created_at: datetime
    last_ok_at: datetime | None
    failing_since: datetime | None
    failures: Annotated[int, Field(description="attempts in a row")]
    disabled_at: datetime | None
    disabled_why: str
    old_secret_until: datetime | None


class DestinationWithSecret(DestinationOut):
    """With the secret, which no other answer has."""

    secret: str


class AttemptOut(Schema):
    """One POST: the status of the answer and its first kilobyte, or `words` why there is none. The answer is empty for a
    member who may not see inputs and outputs.
    """

    at: datetime
    took_ms: int
    code: int | None
    words: str
    answer: str


class ForwardOut(Schema):
    """A message. `message_id` is its `webhook-id`; attempts are the newest 20, newest first."""

    id: int
    message_id: str
    event: EventWord
    request_id: str | None
    state: StateWord
    created_at: datetime
    due_at: datetime | None
    ended_at: datetime | None
    why: str
    attempts: list[AttemptOut]

    @staticmethod
    def resolve_request_id(message: ForwardMessage) -> str | None:
        return str(message.request.public_id) if message.request else None

    @staticmethod
    def resolve_attempts(message: ForwardMessage) -> list[ForwardAttempt]:
        return list(message.attempts.all())


class ForwardFilters(Schema):
    """Filters of the messages, newest first."""

    model_config = ConfigDict(extra="forbid")

    state: ForwardState | None = None
    before: Annotated[int | None, Field(ge=1, le=LAST, description="a `next_before`")] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class ForwardPage(Schema):
    """Messages. `next_before` is null on the last page."""

    items: list[ForwardOut]
    next_before: int | None


@router.get("destinations/", auth=READS_ROWS, response={200: list[DestinationOut]}, summary="List destinations")  # fmt: skip
def list_destinations(request: ApiRequest) -> QuerySet[ForwardDestination]:
    """The team's destinations, by name."""
    return _destinations(request)


@router.post("destinations/", auth=MANAGES, response={201: DestinationWithSecret}, summary="Add a destination")  # fmt: skip
def add_destination(request: ApiRequest, payload: NewDestination) -> Status[dict[str, Any]]:
    """Its secret is in this answer alone. Send a test before you rely on it."""
    ensure_manages(request)
    wanted, now = _wanted(payload), timezone.now()
    try:
        made, secret = keeping.add(request.auth.team, wanted, by=request.auth.user, now=now)
    except ForwardRefused as refused:
        raise InvalidDraft({"name": [str(refused)]}) from None
    if not payload.is_on:
        keeping.switch(made, is_on=False, now=now)
    return Status(201, _with_secret(request, made, secret))


@router.get("destinations/{id}/", auth=READS_ROWS, response={200: DestinationOut}, summary="Read a destination")  # fmt: skip
def read_destination(request: ApiRequest, id: str) -> ForwardDestination:
    """The destination, without its address and secret."""
    return get_or_404(_destinations(request), id)


@router.post("destinations/{id}/change/", auth=MANAGES, response={200: DestinationOut}, summary="Change a destination")  # fmt: skip
def change_destination(
    request: ApiRequest, id: str, payload: ChangedDestination
) -> ForwardDestination:
    """Replace all of it but the address. Switched on again, it is sent what happens from then on."""
    one = get_or_404(_destinations(request), id)
    try:
        keeping.change(one, _wanted(payload, one))
    except ForwardRefused as refused:
        raise InvalidDraft({"name": [str(refused)]}) from None
    keeping.switch(one, is_on=payload.is_on, now=timezone.now())
    return get_or_404(_destinations(request), id)


@router.post("destinations/{id}/rotate/", auth=MANAGES, response={200: DestinationWithSecret}, summary="Make a new secret")  # fmt: skip
def rotate_destination(request: ApiRequest, id: str) -> dict[str, Any]:
    """It is valid at once, and the one before for another 24 hours beside it."""
    one = get_or_404(_destinations(request), id)
    return _with_secret(request, one, keeping.rotate(one, timezone.now()))


@router.post(
    "destinations/{id}/test/", auth=MANAGES_ROWS, response={202: None}, summary="Send a test"
)
def test_destination(request: ApiRequest, id: str) -> Status[None]:
    """Its attempts are among the messages in a moment."""
    _or_refused(keeping.send_test, get_or_404(_destinations(request), id))
    return Status(202, None)


@router.delete("destinations/{id}/", auth=MANAGES_ROWS, response={204: None}, summary="Remove a destination")  # fmt: skip
def remove_destination(request: ApiRequest, id: str) -> Status[None]:
    """Its messages are removed too, and what waits is not sent."""
    keeping.remove(get_or_404(_destinations(request), id), timezone.now())
    return Status(204, None)


@router.get("destinations/{id}/messages/", auth=READS_ROWS, response={200: ForwardPage}, summary="List messages")  # fmt: skip
def list_messages(request: ApiRequest, id: str, filters: Query[ForwardFilters]) -> dict[str, Any]:
    """What was and is to be sent there, newest first, with the attempts."""
    found = ForwardMessage.objects.of(get_or_404(_destinations(request), id)).order_by("-pk")
    if filters.state:
        found = found.filter(state=filters.state)
    if filters.before:
        found = found.filter(pk__lt=filters.before)
    some = found.defer("body").select_related("request").prefetch_related("attempts")
    shown = list(some[: filters.limit + 1])
    for attempt in (
        (each for one in shown for each in one.attempts.all()) if not request.auth.sees else ()
    ):
        conceal_answer(attempt)
    older = shown[filters.limit - 1].pk if len(shown) > filters.limit else None
    return {"items": shown[: filters.limit], "next_before": older}


@router.post("messages/{id}/resend/", auth=MANAGES, response={202: None}, summary="Send a message again")  # fmt: skip
def resend_message(request: ApiRequest, id: str) -> Status[None]:
    """With its `webhook-id`, for another day."""
    ensure_manages(request)
    mine = ForwardMessage.objects.filter(
        team=request.auth.team_id, destination__removed_at=None
    ).select_related("destination")
    _or_refused(keeping.resend, get_or_404(mine, id))
    return Status(202, None)


def _destinations(request: ApiRequest) -> QuerySet[ForwardDestination]:
    """Return the team's own. Raises what a user is told who is neither its owner nor an admin."""
    ensure_manages(request)
    return ForwardDestination.objects.of_team(request.auth.team_id)


def _or_refused(act: Any, on: Any) -> None:
    try:
        act(on, timezone.now())
    except ForwardRefused as refused:
        raise InvalidDraft({"id": [str(refused)]}) from None


def _wanted(
    payload: ChangedDestination, destination: ForwardDestination | None = None
) -> WantedDestination:
    chosen = {_FIELDS[one]: "on" for one in payload.events if one in _FIELDS}
    typed = {"destination_name": payload.name, "address": payload.address, "pattern": payload.pattern}  # fmt: skip
    form = DestinationForm(typed | chosen, destination=destination)
    ensure_valid(form, destination_name="name", deliveries="events")
    return form.wanted


def _with_secret(request: ApiRequest, one: ForwardDestination, secret: str) -> dict[str, Any]:
    stored = get_or_404(_destinations(request), str(one.pk))
    return DestinationOut.from_orm(stored).dict() | {"secret": secret}
