"""Notices over the API: owners and admins write, all read, and an address never comes back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from requests_app.models import ApiToken, Membership, NoticeChannel, NoticeRule, Role
from tests.api.conftest import Caller

BASE = "/api/v1/notices/"
SECRET = "https://example.org/canary"
CHANNEL = {"kind": "webhook", "name": "hook", "address": SECRET}


def call(caller: Caller, method: str, path: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    given = {"data": data, "content_type": "application/json"} if method == "post" else {}
    return getattr(Client(), method)(BASE + path, headers=caller.headers, **given)


@pytest.fixture
def channel(owner: Caller) -> Any:
    made = call(owner, "post", "channels/", CHANNEL)
    assert made.status_code == 201, made.content
    return made.json()


def test_channels_are_added_replaced_tested_and_removed_without_showing_an_address(
    owner: Caller, teammate: Caller, channel: Any
) -> None:
    mine = f"channels/{channel['id']}/"
    stored = NoticeChannel.objects.get().encrypted
    replies = [
        call(owner, "get", "channels/"),
        call(teammate, "get", mine),
        call(owner, "post", f"{mine}replace/", {"address": f"{SECRET}2"}),
        call(owner, "post", "channels/", CHANNEL),
        call(owner, "post", "channels/", {**CHANNEL, "name": "two", "address": "ftp://canary"}),
        call(owner, "post", f"{mine}test/"),
        call(owner, "post", f"{mine}test/"),
    ]
    assert [reply.status_code for reply in replies] == [200, 200, 200, 422, 422, 202, 422]
    assert NoticeChannel.objects.get().encrypted != stored
    for reply in replies:
        assert "canary" not in reply.content.decode()
    assert replies[1].json()["shown"] == "https://example.org/…"
    assert replies[3].json()["detail"][0]["loc"] == ["body", "name"]
    assert replies[4].json()["detail"][0]["loc"] == ["body", "address"]
    assert call(owner, "delete", mine).status_code == 204
    assert call(owner, "get", mine).status_code == 404


def test_rules_are_added_changed_switched_and_removed(owner: Caller, channel: Any) -> None:
    body = {"event": "failed", "channel": channel["id"], "pattern": "acme/*", "only_mine": True}
    made = call(owner, "post", "rules/", body)
    assert made.status_code == 201, made.content
    rule = made.json()
    assert (rule["channel"], rule["only_of"], rule["is_on"]) == (channel["id"], "olive", True)
    assert rule["words"] == "A request failed, of acme/*, of olive alone"
    place = f"rules/{rule['id']}/"
    rate = {"event": "rate", "channel": channel["id"], "minutes": 5, "percent": 9, "least": 3}
    changed = call(owner, "post", f"{place}change/", {**rate, "is_on": False}).json()
    assert (changed["percent"], changed["pattern"], changed["is_on"]) == (9, "", False)
    assert call(owner, "get", "rules/").json() == [changed]
    assert call(owner, "get", place).json() == changed
    assert call(owner, "delete", place).status_code == 204
    assert not NoticeRule.objects.exists()


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"event": "moon"}, "event"),
        ({"channel": 10**30}, "channel"),
        ({"channel": True}, "channel"),
        ({"event": "rate", "minutes": 5, "percent": 9}, "least"),
        ({"event": "queue", "minutes": 10**30}, "minutes"),
        ({"pattern": "https://x"}, "pattern"),
        ({"cooldown_minutes": 0}, "cooldown_minutes"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_wrong_rule_is_refused_at_its_field(
    owner: Caller, channel: Any, body: Any, field: str
) -> None:
    reply = call(owner, "post", "rules/", {"event": "failed", "channel": channel["id"], **body})
    assert reply.status_code == 422, reply.content
    assert ["body", field] in [problem["loc"] for problem in reply.json()["detail"]]
    assert not NoticeRule.objects.exists()


def test_only_owners_and_admins_and_their_service_tokens_change_notices(
    owner: Caller, teammate: Caller, stranger: Caller, channel: Any
) -> None:
    rule = NoticeRule.objects.create(
        team=owner.team, channel_id=channel["id"], event="failed", since=timezone.now()
    )
    Membership.objects.filter(user=teammate.user, team=owner.team).update(role=Role.MEMBER)
    body = {"event": "failed", "channel": channel["id"]}
    writes: list[tuple[str, str, Any]] = [
        ("post", f"channels/{channel['id']}/replace/", {"address": SECRET}),
        ("post", f"channels/{channel['id']}/test/", None),
        ("post", f"rules/{rule.pk}/change/", body),
        ("delete", f"rules/{rule.pk}/", None),
        ("delete", f"channels/{channel['id']}/", None),
    ]
    for method, path, given in writes:
        assert call(teammate, method, path, given).status_code == 403, path
        assert call(stranger, method, path, given).status_code == 404, path
    assert call(teammate, "post", "rules/", body).status_code == 403
    assert call(stranger, "post", "rules/", body).status_code == 422
    assert call(stranger, "get", "rules/").json() == call(stranger, "get", "channels/").json() == []
    assert NoticeRule.objects.count() == NoticeChannel.objects.count() == 1
    ApiToken.objects.filter(user=teammate.user).update(is_service=True)
    assert call(teammate, "post", "rules/", body).status_code == 201
