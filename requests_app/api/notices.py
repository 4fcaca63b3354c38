"""Channels and rules of a team's notices, for programs: all members read them, owners and admins change them.

A channel's address is written, and never read.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, TypeVar

from django.db.models import Model, QuerySet
from django.forms import BaseForm
from django.http import Http404
from django.utils import timezone
from ninja import Router, Schema, Status
from ninja.errors import AuthorizationError
from pydantic import ConfigDict, Field, StrictBool, StrictInt

from requests_app.api.accepted import NoNulText
from requests_app.api.auth import MANAGES, MANAGES_ROWS, READS_ROWS, ApiRequest
from requests_app.forms.notices import MOST_ADDRESS, ChannelAddressForm, ChannelForm, RuleForm
from requests_app.models import (
    ChannelKind,
    NoticeChannel,
    NoticeRule,
    Role,
    RuleEvent,
    conceal_answer,
)
from requests_app.notices import keeping
from requests_app.notices.addresses import ChannelAddress
from requests_app.notices.keeping import NoticeRefused
from requests_app.notices.words import rule_in_words
from requests_app.request_input import InvalidDraft

router = Router(tags=["notices"])

Row = TypeVar("Row", bound=Model)
Address = Annotated[NoNulText, Field(max_length=MOST_ADDRESS)]


class NewChannel(Schema):
    """Where messages go: mail addresses, the URL of a webhook, or a Telegram bot's token and the chat."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"kind": "email", "name": "ops", "address": "ops@acme.org"}},
    )

    kind: ChannelKind
    name: Annotated[NoNulText, Field(max_length=60)]
    address: Address


class NewAddress(Schema, extra="forbid"):
    """Another address of a channel."""

    address: Address


class ChannelOut(Schema):
    """A channel; `shown` is what of its address is no secret."""

    id: int
    kind: ChannelKind
    name: str
    shown: str
    created_at: datetime
    last_sent_at: datetime | None
    disabled_at: datetime | None
    disabled_why: str


class RuleIn(Schema):
    """What is told to a channel. What the event has no use for is not kept."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"event": "failed", "channel": 1, "pattern": "fal-ai/*"}},
    )

    event: RuleEvent
    channel: Annotated[StrictInt, Field(description="the channel's id")]
    is_on: StrictBool = True
    pattern: Annotated[
        NoNulText, Field(description="an endpoint id, or the beginning of ids with a *")
    ] = ""
    error_type: NoNulText = ""
    minutes: Annotated[
        StrictInt | None, Field(description="older than; for `rate` the time that is looked at")
    ] = None
    percent: Annotated[StrictInt | None, Field(description="for `rate`: over so many")] = None
    least: Annotated[StrictInt | None, Field(description="for `rate`: of so many requests")] = None
    cooldown_minutes: StrictInt = 5
    only_mine: Annotated[StrictBool, Field(description="only requests of the token's user")] = False
    in_quiet: Annotated[StrictBool, Field(description="also in the team's quiet hours")] = False
    with_error: Annotated[
        StrictBool, Field(description="with the first 200 characters of the error")
    ] = False


class RuleOut(Schema):
    """A rule, also in words. `only_of`: whose requests alone it is about."""

    id: int
    words: str
    event: RuleEvent
    channel: int = Field(alias="channel_id")
    is_on: bool
    pattern: str
    error_type: str
    minutes: int | None
    percent: int | None
    least: int | None
    cooldown_minutes: int
    only_of: str | None
    in_quiet: bool
    with_error: bool

    resolve_words = staticmethod(rule_in_words)

    @staticmethod
    def resolve_only_of(rule: NoticeRule) -> str | None:
        return rule.only_of.get_username() if rule.only_of else None


@router.get("channels/", auth=READS_ROWS, response={200: list[ChannelOut]}, summary="List channels")  # fmt: skip
def list_channels(request: ApiRequest) -> list[NoticeChannel]:
    """The team's channels, by name."""
    return [_told(request, one) for one in _channels(request)]


@router.post("channels/", auth=MANAGES, response={201: ChannelOut}, summary="Add a channel")  # fmt: skip
def add_channel(request: ApiRequest, payload: NewChannel) -> Status[NoticeChannel]:
    """The address is encrypted and in no answer. Test the channel before you rely on it."""
    ensure_manages(request)
    form = ChannelForm(
        {"kind": payload.kind, "channel_name": payload.name, "address": payload.address}
    )
    address = _parsed(form, channel_name="name")
    try:
        made = keeping.add_channel(
            request.auth.team, kind=payload.kind, name=form.cleaned_data["channel_name"], address=address,
            by=request.auth.user, now=timezone.now(),
        )  # fmt: skip
    except NoticeRefused as refused:
        raise InvalidDraft({"name": [str(refused)]}) from None
    return Status(201, made)


@router.get("channels/{id}/", auth=READS_ROWS, response={200: ChannelOut}, summary="Read a channel")  # fmt: skip
def read_channel(request: ApiRequest, id: str) -> NoticeChannel:
    """The channel, without its address."""
    return _told(request, get_or_404(_channels(request), id))


def _told(request: ApiRequest, channel: NoticeChannel) -> NoticeChannel:
    """Leave out the answer that switched it off, where its reader may not see what it repeats."""
    if not request.auth.sees:
        conceal_answer(channel)
    return channel


@router.post(
    "channels/{id}/replace/",
    auth=MANAGES,
    response={200: ChannelOut},
    summary="Replace a channel's address",
)
def replace_address(request: ApiRequest, id: str, payload: NewAddress) -> NoticeChannel:
    """A channel that was switched off because messages failed is on again."""
    ensure_manages(request)
    channel = get_or_404(_channels(request), id)
    form = ChannelAddressForm({"address": payload.address}, kind=channel.kind)
    keeping.replace_address(channel, _parsed(form))
    return get_or_404(_channels(request), id)


@router.post("channels/{id}/test/", auth=MANAGES_ROWS, response={202: None}, summary="Test a channel")  # fmt: skip
def test_channel(request: ApiRequest, id: str) -> Status[None]:
    """Have the worker send a test; its answer is in the log under Settings."""
    ensure_manages(request)
    try:
        keeping.test_channel(get_or_404(_channels(request), id), timezone.now())
    except NoticeRefused as refused:
        raise InvalidDraft({"id": [str(refused)]}) from None
    return Status(202, None)


@router.delete("channels/{id}/", auth=MANAGES_ROWS, response={204: None}, summary="Remove a channel")  # fmt: skip
def remove_channel(request: ApiRequest, id: str) -> Status[None]:
    """Its rules are removed too, and what waits for it is not sent."""
    ensure_manages(request)
    keeping.remove_channel(get_or_404(_channels(request), id))
    return Status(204, None)


@router.get("rules/", auth=READS_ROWS, response={200: list[RuleOut]}, summary="List rules")
def list_rules(request: ApiRequest) -> QuerySet[NoticeRule]:
    """The team's rules, the oldest first."""
    return _rules(request)


@router.post("rules/", auth=MANAGES, response={201: RuleOut}, summary="Add a rule")
def add_rule(request: ApiRequest, payload: RuleIn) -> Status[NoticeRule]:
    """It tells of what happens from now on."""
    ensure_manages(request)
    rule = _filled(request, payload, NoticeRule())
    rule.team, rule.since, rule.is_on = request.auth.team, timezone.now(), payload.is_on
    try:
        keeping.add_rule(rule)
    except NoticeRefused as refused:
        raise InvalidDraft({"event": [str(refused)]}) from None
    return Status(201, rule)


@router.get("rules/{id}/", auth=READS_ROWS, response={200: RuleOut}, summary="Read a rule")
def read_rule(request: ApiRequest, id: str) -> NoticeRule:
    """The rule."""
    return get_or_404(_rules(request), id)


@router.post("rules/{id}/change/", auth=MANAGES, response={200: RuleOut}, summary="Change a rule")  # fmt: skip
def change_rule(request: ApiRequest, id: str, payload: RuleIn) -> NoticeRule:
    """Replace all of it; a field that is left out has its default. Messages that wait are sent as they are."""
    ensure_manages(request)
    rule = _filled(request, payload, get_or_404(_rules(request), id))
    now = timezone.now()
    keeping.change_rule(rule, now)
    if rule.is_on != payload.is_on:
        keeping.switch_rule(rule, is_on=payload.is_on, now=now)
    return get_or_404(_rules(request), id)


@router.delete("rules/{id}/", auth=MANAGES_ROWS, response={204: None}, summary="Remove a rule")  # fmt: skip
def remove_rule(request: ApiRequest, id: str) -> Status[None]:
    """What it has sent stays in the log; what waits is not sent."""
    ensure_manages(request)
    keeping.remove_rule(get_or_404(_rules(request), id))
    return Status(204, None)


def ensure_manages(request: ApiRequest) -> None:
    # A service token of this scope is made by an owner or admin.
    if not request.auth.is_service and request.auth.role not in (Role.OWNER, Role.ADMIN):
        raise AuthorizationError(message="Owners and admins decide what is told to whom.")


def _channels(request: ApiRequest) -> QuerySet[NoticeChannel]:
    return NoticeChannel.objects.filter(team=request.auth.team_id).defer("encrypted")


def _rules(request: ApiRequest) -> QuerySet[NoticeRule]:
    return NoticeRule.objects.filter(team=request.auth.team_id).select_related("channel", "only_of")


def get_or_404(rows: QuerySet[Row], id: str) -> Row:
    found = rows.filter(pk=int(id)).first() if id.isdecimal() and len(id) < 18 else None
    if found is None:
        raise Http404
    return found


def _filled(request: ApiRequest, payload: RuleIn, rule: NoticeRule) -> NoticeRule:
    form = RuleForm(payload.dict(), instance=rule, team=request.auth.team)
    ensure_valid(form)
    return form.given_to(request.auth.user)


def _parsed(form: ChannelAddressForm, **named: str) -> ChannelAddress:
    ensure_valid(form, **named)
    if form.parsed is None:
        raise InvalidDraft({"address": ["No address was given."]})
    return form.parsed


def ensure_valid(form: BaseForm, **named: str) -> None:
    """Raise InvalidDraft; `named`: fields that have another name in the API."""
    if not form.is_valid():
        raise InvalidDraft(
            {named.get(name, name): list(map(str, found)) for name, found in form.errors.items()}
        )
