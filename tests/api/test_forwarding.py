"""Forwarding over the API: for owners and admins alone; an address never comes back, a secret once."""

from __future__ import annotations

import json
from typing import Any

from django.test import Client
from django.utils import timezone

from requests_app.forwarding.outbox import ForwardAnswer, keep, take_due
from requests_app.forwarding.sealed import unseal
from requests_app.models import ForwardDestination, ForwardMessage
from tests.api.conftest import Caller
from tests.forwarding.scene import make_forward, make_message

BASE = "/api/v1/forwarding/"
WANTED = {
    "name": "crm", "address": "https://crm.example/canary", "pattern": "acme/*",
    "events": ["fal.delivery", "request.failed"],
}  # fmt: skip


def call(caller: Caller, method: str, path: str, body: Any = None) -> Any:
    data = "" if body is None else json.dumps(body)
    given = {"data": data, "content_type": "application/json"} if method == "post" else {}
    return getattr(Client(), method)(BASE + path, headers=caller.headers, **given)


def test_a_destination_lives_without_its_address_being_told_and_its_secret_once(
    owner: Caller,
) -> None:
    made = call(owner, "post", "destinations/", WANTED)
    assert made.status_code == 201, made.content
    told = made.json()
    one = ForwardDestination.objects.get()
    assert [told["secret"]] == unseal(one).secrets
    assert made["Location"] == f"/api/v1/forwarding/destinations/{one.pk}/"
    mine = f"destinations/{one.pk}/"
    change = {"name": "erp", "events": ["request.completed"], "is_on": False}
    replies = [
        call(owner, "get", "destinations/"),
        call(owner, "get", mine),
        call(owner, "post", f"{mine}test/"),
        call(owner, "post", f"{mine}test/"),
        call(owner, "post", f"{mine}change/", change),
        call(owner, "post", f"{mine}test/"),
        call(owner, "post", "destinations/", {**WANTED, "name": "erp"}),
        call(owner, "post", "destinations/", {**WANTED, "address": "ftp://canary"}),
        call(owner, "post", "destinations/", {**WANTED, "events": ["test"]}),
    ]
    codes = [reply.status_code for reply in replies]
    assert codes == [200, 200, 202, 422, 200, 422, 422, 422, 422]
    for reply in replies:
        assert "canary" not in reply.content.decode() and "whsec_" not in reply.content.decode()
    assert replies[1].json()["events"] == WANTED["events"]
    assert replies[4].json()["is_on"] is False
    assert [reply.json()["detail"][0]["loc"] for reply in replies[6:]] == [
        ["body", "name"], ["body", "address"], ["body", "events"],
    ]  # fmt: skip
    one.refresh_from_db()
    assert unseal(one).url == WANTED["address"]
    rotated = call(owner, "post", f"{mine}rotate/").json()
    assert rotated["secret"] != told["secret"] and rotated["old_secret_until"]
    assert call(owner, "delete", mine).status_code == 204
    assert call(owner, "get", mine).status_code == 404


def test_messages_are_listed_with_their_attempts_and_sent_again(owner: Caller) -> None:
    one, _ = make_forward(owner.team)
    make_message(one)
    now = timezone.now()
    [taken] = take_due(now, 5, running={})
    keep(taken, ForwardAnswer(7, 503, answer="busy"), now)
    path = f"destinations/{one.pk}/messages/"
    page = call(owner, "get", f"{path}?limit=1").json()
    [item] = page["items"]
    assert (item["state"], item["attempts"][0]["code"], item["attempts"][0]["answer"]) == ("waiting", 503, "busy")  # fmt: skip
    older = call(owner, "get", f"{path}?before={page['next_before']}").json()
    assert [one["state"] for one in older["items"]] == ["sent"] and older["next_before"] is None
    sent = call(owner, "get", f"{path}?state=sent").json()["items"][0]
    again = f"messages/{sent['id']}/resend/"
    assert [call(owner, "post", again).status_code for _ in range(2)] == [202, 422]
    assert ForwardMessage.objects.get(pk=sent["id"]).message_id == sent["message_id"]


def test_members_neither_read_nor_change_it(teammate: Caller, owner: Caller) -> None:
    one, message = make_forward(owner.team)
    mine = f"destinations/{one.pk}/"
    for path in ("destinations/", mine, f"{mine}messages/"):
        assert call(teammate, "get", path).status_code == 403
    for path in (f"{mine}rotate/", f"{mine}test/", f"messages/{message.pk}/resend/"):
        assert call(teammate, "post", path).status_code == 403
