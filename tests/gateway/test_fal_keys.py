"""At the wire: what passes the gateway carries the key of the caller's team."""

from __future__ import annotations

from typing import Any

import httpx
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.keys import keeping
from requests_app.models import ApiToken, FalKey, Team
from tests.fal.peer import reply, says
from tests.gateway.conftest import Serving
from tests.gateway.test_application import ID, receipt


def give(team: Team, secret: str, by: User, pattern: str = "") -> FalKey:
    now = timezone.now()
    return keeping.add(team, name=secret[:4], pattern=pattern, secret=secret, by=by, now=now)


def test_each_team_s_calls_carry_its_own_key(
    serving: Serving, http: httpx.Client, peer: Any, team: Team, owner: User, stranger: User
) -> None:
    other = stranger.memberships.get().team
    give(team, "hers:key", owner)
    give(team, "flux:key", owner, "acme/flux")
    theirs = {"authorization": f"Key x:{ApiToken.issue(stranger, other)}"}
    for _ in range(3):
        peer.will(*(says(200, {"out": 1}) for _ in range(3)))
        http.post("/gateway/run/acme/img", json={})
        http.post("/gateway/run/acme/flux", json={})
        http.post("/gateway/run/acme/img", json={}, headers=theirs)
    told = [one.header("authorization") for one in peer.requests]
    assert told == ["Key hers:key", "Key flux:key", "Key id:secret"] * 3
    assert {row.team_id: row.fal_key is None for row in serving.recorded()} == {
        team.pk: False, other.pk: True,
    }  # fmt: skip


def test_a_request_is_followed_with_the_key_of_its_submit(
    serving: Serving, http: httpx.Client, peer: Any, team: Team, owner: User
) -> None:
    key = give(team, "hers:key", owner)
    peer.will(reply(200, receipt(peer.url)), says(202, {"status": "IN_QUEUE"}))
    http.post("/gateway/queue/acme/img", json={})
    (row,) = serving.recorded()
    assert row.fal_key_id == key.pk
    keeping.remove(team, key.pk, now=timezone.now())
    give(team, "next:key", owner)
    status = f"/gateway/queue/acme/img/requests/{ID}/status"
    refused = http.get(status)
    assert refused.status_code == 503 and "was removed" in refused.text
    assert len(peer.requests) == 1
    keeping.replace(team, key.pk, "anew:key", now=timezone.now())
    assert http.get(status).status_code == 202
    assert peer.requests[-1].header("authorization") == "Key anew:key"
