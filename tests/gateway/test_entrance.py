"""Programs that keep their own key of fal's: it alone reaches fal, and only ours is known here."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core import serializers
from django.db import OperationalError
from django.utils import timezone

from requests_app.gateway.addresses import address_of
from requests_app.gateway.callers import Caller
from requests_app.gateway.entrance import Entrance
from requests_app.gateway.owners import Owners
from requests_app.gateway.recording import Recording
from requests_app.gateway.spool import Spool
from requests_app.gateway.witness import SharedParts, witness_of
from requests_app.keys import keeping, key_of
from requests_app.models import ApiToken, FalKey, FalRequest, Observation, Status, Team
from requests_app.worker.fal_connections import hosts_from_settings
from tests.builders import make_queued
from tests.fal.peer import reply, says
from tests.gateway.conftest import Serving
from tests.gateway.test_application import ID, receipt

OWN = "program:canary5e1f-of-the-program"
SECRET = OWN.partition(":")[2]


@pytest.fixture
def base(key: str) -> str:
    """Where a program with its own key calls."""
    return f"/gateway/t/{key.partition(':')[2]}"


@pytest.fixture
def program(serving: Serving) -> Any:
    """A program with its own key, and none of ours in its headers."""
    with httpx.Client(
        base_url=serving.url, headers={"authorization": f"Key {OWN}"}, timeout=60
    ) as client:
        yield client


def test_the_callers_key_reaches_fal_unchanged_and_alone(
    serving: Serving, program: httpx.Client, peer: Any, base: str, owner: User, team: Team
) -> None:
    peer.will(reply(200, receipt(peer.url)), says(200, {"status": "COMPLETED"}))
    got = program.post(
        f"{base}/queue/acme/img", json={"seed": 7}, headers={"cookie": "sessionid=x"}
    )
    told = got.json()
    here = f"{serving.url}{base}/queue/acme/img/requests/{ID}"
    assert (told["status_url"], told["response_url"]) == (f"{here}/status", here)
    assert program.get(told["status_url"]).json() == {"status": "COMPLETED"}
    for asked in peer.requests:
        values = [value for name, value in asked.headers if name.lower() == "authorization"]
        assert values == [f"Key {OWN}"]
        assert asked.header("cookie") is None
        assert base.rpartition("/")[2] not in str(asked)
    (row,) = serving.recorded()
    assert (row.team, row.person, row.status) == (team, owner, Status.IN_QUEUE)
    assert "with its own fal key" in row.observations.earliest("id").note


def test_the_result_that_the_program_fetches_ends_a_request_that_no_key_of_ours_may_follow(
    serving: Serving, program: httpx.Client, peer: Any, base: str, team: Team
) -> None:
    peer.will(reply(200, receipt(peer.url)))
    program.post(f"{base}/queue/acme/img", json={})
    (row,) = serving.recorded()
    assert "keeps to itself" in key_of(row.fal_key_id).problem
    fetched = f"{base}/queue/acme/img/requests/{ID}"
    peer.will(
        says(400, {"detail": "Request is still in progress"}), reply(200, b'{"images": [1.0]}')
    )
    assert program.get(fetched).status_code == 400
    assert serving.recorded()[0].status == Status.IN_QUEUE
    assert program.get(fetched).content == b'{"images": [1.0]}'
    (row,) = serving.recorded()
    assert (row.status, bytes(row.output)) == (Status.COMPLETED, b'{"images": [1.0]}')


def test_a_key_that_the_team_has_follows_the_request_also_when_it_is_given_later(
    serving: Serving, program: httpx.Client, peer: Any, base: str, team: Team, owner: User
) -> None:
    peer.will(reply(200, receipt(peer.url)))
    program.post(f"{base}/queue/acme/img", json={})
    (row,) = serving.recorded()

    assert keeping.replace(team, row.fal_key_id, OWN, now=timezone.now())
    assert key_of(row.fal_key_id).secret == OWN
    again = receipt(peer.url, ID.replace("0b1c", "0b1d"))
    peer.will(reply(200, again))
    program.post(f"{base}/queue/acme/img", json={"seed": 2})
    first, second = serving.recorded()
    assert second.fal_key_id == first.fal_key_id
    assert FalKey.objects.filter(team=team).count() == 1
    peer.will(says(200, {"out": 1}))
    given = {"authorization": f"Key {django_settings.FAL_KEY}"}
    program.post(f"{base}/run/acme/img", json={}, headers=given)
    assert serving.recorded()[2].fal_key_id is None  # the installation's own


def test_what_is_not_both_a_token_of_ours_and_a_key_of_fals_stops_here(
    serving: Serving,
    program: httpx.Client,
    peer: Any,
    base: str,
    key: str,
    viewer: User,
    stranger: User,
    team: Team,
) -> None:
    foreign = make_queued(team=stranger.memberships.get().team, person=stranger).fal_request_id
    for path in ("", "/status", "/status/stream"):
        got = program.get(f"{base}/queue/acme/img/requests/{foreign}{path}")
        assert got.status_code == 404
    FalRequest.objects.all().delete()
    seen = ApiToken.issue(viewer, team)
    cases: list[tuple[str, dict[str, str], int]] = [
        (base, {"authorization": ""}, 401),
        (base, {"authorization": "Basic abc"}, 401),
        (base, {"authorization": f"Key {key}"}, 401),
        (base, {"authorization": f"Bearer {key.partition(':')[2]}"}, 401),
        ("/gateway/t/fdk_wrong", {}, 401),
        ("/gateway/t", {}, 404),
        (f"/gateway/t/{seen}", {}, 403),
        ("/gateway", {}, 401),
    ]
    for prefix, headers, code in cases:
        got = program.post(f"{prefix}/run/acme/img", json={}, headers=headers)
        assert got.status_code == code, (prefix, got.text)
        assert SECRET not in got.text
    assert peer.requests == []
    assert serving.recorded() == []


def test_the_callers_key_is_in_no_record_and_no_log(
    serving: Serving, program: httpx.Client, peer: Any, base: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    peer.will(says(200, {"out": 1}), reply(200, receipt(peer.url)), says(422, {"detail": "no"}))
    for path in ("run", "queue", "run"):
        program.post(f"{base}/{path}/acme/img", json={})
    assert len(serving.recorded()) == 3
    rows = [*FalRequest.objects.all(), *Observation.objects.all(), *FalKey.objects.all()]
    stored = serializers.serialize("json", rows)
    assert "acme/img" in stored
    assert SECRET not in stored
    assert SECRET not in caplog.text


async def test_the_callers_key_is_not_put_down_while_the_database_is_away(tmp_path: Path) -> None:
    async def away(*_: object) -> None:
        raise OperationalError

    spool = Recording(away, Spool(tmp_path))
    parts = SharedParts(spool, Owners(away), away)
    headers = [(b"authorization", f"Key {OWN}".encode())]
    entrance = Entrance.of("/gateway/t/fdk_token/queue/acme/img")
    address = address_of(hosts_from_settings(), "queue", "acme/img", "", "POST")
    witness = witness_of(
        parts, address, Caller(1, 1, "olive", ""), headers, {}, lambda: None, fal_key_id=None,
        own=entrance.own_key(headers),
    )  # fmt: skip
    witness.input(b"{}")
    witness.sent()
    witness.head(200, {})
    await witness.end()
    async with asyncio.timeout(30):
        while not (files := list(tmp_path.glob("*.call"))):
            await asyncio.sleep(0.01)
    spooled = files[0].read_bytes()
    spool.stop()
    assert b"acme/img" in spooled
    assert SECRET.encode() not in spooled
    assert b"fdk_token" not in spooled
