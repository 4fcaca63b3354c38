"""What the palette finds: of every kind a few, and nothing of another team."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from requests_app.models import Membership, Role, SavedView, Team
from requests_app.presets import saving
from tests.batches.conftest import make_batch
from tests.builders import make_request

OFFER = re.compile(r'<a class="palette-offer".*?href="([^"]+)".*?<span class="clip">([^<]*)<', re.S)


def offers(client: Client, q: str = "") -> dict[str, str]:
    """Word -> address."""
    reply = client.get("/palette/", {"q": q})
    assert reply.status_code == 200
    return {word: address for address, word in OFFER.findall(reply.text)}


@pytest.fixture
def things(team, owner):
    """One of each kind, all about zebras."""
    preset, _ = saving.save(
        team=team, person=owner, endpoint_id="acme/img", name="zebra stripes", text="{}", now=timezone.now()
    )  # fmt: skip
    batch = make_batch(team, owner, rows=1, name="zebra herd")
    row = make_request(
        team=team, person=owner, endpoint_id="acme/zebra", input={"prompt": "zebras"}
    )
    view = SavedView.objects.create(
        team=team, owner=owner, name="zebras that failed", query="zebra status:failed"
    )
    return preset, batch, row, view


def test_every_kind_is_found_by_a_part_of_its_name(as_owner, things, owner):
    preset, batch, row, view = things
    found = offers(as_owner, "zebr")
    assert found["zebra stripes"] == f"/presets/{preset.public_id}/"
    assert found["zebra herd"] == f"/batches/{batch.public_id}/"
    assert found["acme/zebra"] == "/endpoints/acme/zebra/"
    assert found[row.summary] == f"/requests/{row.public_id}/"
    assert found["Search all requests for zebr"] == "/requests/?q=zebr"
    assert found["zebras that failed"] == f"/requests/views/{view.public_id}/"
    assert offers(as_owner, "failed today")["Failed today"] == "/requests/views/failed-today/"
    assert offers(as_owner, "time zone")["Times"] == "/settings/times/"
    assert offers(as_owner, owner.username)[owner.username] == f"/requests/?q=by%3A{owner.username}"


def test_without_words_there_is_what_is_usual(as_owner, as_viewer, things):
    found = offers(as_owner)
    assert {"Requests", "New request", "zebra stripes", "zebra herd"} <= set(found)
    assert "New request" not in offers(as_viewer)


def test_a_private_view_is_its_owner_s(as_viewer, things):
    assert "zebra herd" in offers(as_viewer, "zebr")
    assert "zebras that failed" not in offers(as_viewer, "zebr")


def test_nothing_of_another_team_is_found(as_stranger, things, owner):
    found = offers(as_stranger, "zebr")
    assert set(found) == {"Search all requests for zebr"}
    assert owner.username not in offers(as_stranger, owner.username)


def test_the_links_name_the_team_for_a_user_of_several(as_owner, things, team, owner):
    other = Team.objects.create(name="Second")
    Membership.objects.create(team=other, user=owner, role=Role.MEMBER)
    reply = as_owner.get("/palette/", {"q": "zebr", "team": team.pk})
    found = {word: address for address, word in OFFER.findall(reply.text)}
    assert found["zebra herd"].endswith(f"?team={team.pk}")
    assert f"team={team.pk}" in found["Search all requests for zebr"]
    elsewhere = as_owner.get("/palette/", {"q": "zebr", "team": other.pk}).text
    assert "zebra herd" not in elsewhere


@pytest.mark.parametrize(
    "q", ["\0", '"', "status:x", "<script>alert(1)</script>", "a" * 5000, "%", "_", "-", "*"]
)
def test_odd_words_break_nothing(as_owner, things, q):
    reply = as_owner.get("/palette/", {"q": q})
    assert reply.status_code == 200
    assert "<script>alert" not in reply.text


def test_the_questions_do_not_grow_with_what_there_is(as_owner, things, team, owner):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            offers(as_owner, "zebr")
        return len(queries)

    asked()
    few = asked()
    for number in range(12):
        make_request(
            team=team, person=owner, endpoint_id=f"acme/zebra{number}", input={"prompt": "zebras"}
        )
    assert asked() == few
    assert len(offers(as_owner, "zebr")) <= 30
