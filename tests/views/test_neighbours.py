"""From request to request through the list it was opened from."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from requests_app.models import FalRequest, Membership, Role, Team
from tests.builders import make_request

STEP = re.compile(r'<a class="button" rel="(prev|next)"[^>]*href="([^"]+)"')
BACK = re.compile(r'<a class="[^"]*" href="([^"]+)"\s+data-back>')


def steps(client: Client, address: str) -> dict[str, str]:
    reply = client.get(address)
    assert reply.status_code == 200
    return dict(STEP.findall(reply.text))


def address_of(row: FalRequest, query: str = "") -> str:
    return f"/requests/{row.public_id}/{query}"


@pytest.fixture
def lakes(team: Team, owner: User) -> list[FalRequest]:
    """Four requests, oldest first, every second about a lake; each is behind one of another team."""
    other = Team.objects.create(name="Other")
    rows = []
    for number in range(4):
        make_request(team=other, person=owner, input={"prompt": "a lake"})
        words = "a lake" if number % 2 else "a hill"
        rows.append(make_request(team=team, person=owner, input={"prompt": words}))
    return rows


def test_the_whole_list_is_walked_without_a_search(as_owner, lakes):
    address, seen = address_of(lakes[-1]), []
    while address:
        seen.append(address)
        address = steps(as_owner, address).get("next", "")
    assert seen == [address_of(row) for row in lakes[::-1]]
    assert steps(as_owner, seen[-1]) == {"prev": seen[-2]}


def test_a_search_is_walked_and_carried_on(as_owner, lakes):
    hill, lake, other_hill, newest = lakes
    query = "?q=lake"
    assert steps(as_owner, address_of(newest, query)) == {"next": address_of(lake, query)}
    # A request that does not match, or no longer, has its place all the same.
    assert steps(as_owner, address_of(other_hill, query)) == {
        "prev": address_of(newest, query),
        "next": address_of(lake, query),
    }
    assert steps(as_owner, address_of(hill, query)) == {"prev": address_of(lake, query)}
    [back] = BACK.findall(as_owner.get(address_of(lake, query)).text)
    assert back == f"/requests/?q=lake#request-{lake.public_id}"


def test_the_rows_of_the_list_lead_to_the_request_with_the_search(as_owner, lakes):
    link = f'href="{address_of(lakes[1], "?q=lake")}"'
    assert link in as_owner.get("/requests/?q=lake").text
    assert link in as_owner.get(f"/requests/rows/?ids={lakes[1].public_id}&q=lake").text
    assert f'href="{address_of(lakes[1])}"' in as_owner.get("/requests/").text


def test_the_way_stays_in_the_request_s_team(as_owner, lakes, owner):
    other = Team.objects.get(name="Other")
    Membership.objects.create(team=other, user=owner, role=Role.MEMBER)
    theirs = set(FalRequest.objects.filter(team=other).values_list("public_id", flat=True))
    row = FalRequest.objects.filter(team=other).order_by("pk")[1]
    found = steps(as_owner, address_of(row, "?q=lake"))
    assert {re.search(r"requests/([^/]+)/", way)[1] for way in found.values()} <= set(
        map(str, theirs)
    )
    assert len(found) == 2
    [back] = BACK.findall(as_owner.get(address_of(row)).text)
    assert back.startswith(f"/requests/?team={other.pk}#")


@pytest.mark.parametrize("bad", ["status:brilliant", "%00", "a" * 5000, '"', "colour:red"])
def test_a_search_that_is_not_understood_leads_nowhere_but_back(as_owner, lakes, bad):
    reply = as_owner.get(address_of(lakes[1]), {"q": bad})
    assert reply.status_code == 200
    assert BACK.search(reply.text)
    assert not STEP.search(reply.text)


def test_the_questions_do_not_grow_with_the_list(as_owner, lakes, team, owner):
    def asked() -> int:
        with CaptureQueriesContext(connection) as queries:
            as_owner.get(address_of(lakes[1], "?q=lake"))
        return len(queries)

    asked()
    few = asked()
    for _ in range(30):
        make_request(team=team, person=owner, input={"prompt": "a lake"})
    assert asked() == few
