"""What a browser is told of ended requests: one's own in all teams, others only by their id."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app import lifecycle
from requests_app.models import FalRequest, Membership, Team
from tests.builders import make_person, make_queued, make_request

PATH = "/requests/ended/"


def told(client: Client, **query: Any) -> list[str]:
    reply = client.get(PATH, query).json()
    return [one["id"] for one in reply["ended"]]


def ended(team: Team, person: User) -> FalRequest:
    """A request that was cancelled before it was sent."""
    row = make_request(team=team, person=person)
    lifecycle.ask_cancel(row.pk, person=person, now=timezone.now())
    return FalRequest.objects.get(pk=row.pk)


def test_ones_own_ends_are_told_in_all_teams_and_no_others(
    as_owner: Client, owner: User, teammate: User, team: Team
) -> None:
    other, foreign = Team.objects.create(name="Other"), Team.objects.create(name="Foreign")
    Membership.objects.create(team=other, user=owner)
    since = as_owner.get(PATH).json()["seq"]
    mine, there = ended(team, owner), ended(other, owner)
    make_queued(team=team, person=owner)
    theirs = ended(team, teammate)
    hidden = ended(foreign, owner)  # in which they are no longer
    assert set(told(as_owner, since=since)) == {str(mine.public_id), str(there.public_id)}
    assert told(as_owner) == []
    wanted = ",".join(str(row.public_id) for row in (theirs, hidden))
    assert told(as_owner, tell=wanted) == [str(theirs.public_id)]


def test_what_is_told_says_how_it_ended_and_nothing_of_its_content(
    as_owner: Client, owner: User, team: Team
) -> None:
    row = ended(team, owner)
    [one] = as_owner.get(PATH, {"since": 0}).json()["ended"]
    assert one.pop("age_s") < 600
    assert one == {
        "id": str(row.public_id), "url": f"/requests/{row.public_id}/", "title": "Cancelled: acme/img",
        "body": one["body"], "mine": True, "failed": False, "seconds": one["seconds"],
    }  # fmt: skip
    assert one["body"].startswith("After ")


def test_what_ended_long_ago_is_no_news(as_owner: Client, owner: User, team: Team) -> None:
    row = ended(team, owner)
    FalRequest.objects.filter(pk=row.pk).update(ended_at=timezone.now() - timedelta(hours=1))
    assert told(as_owner, since=0) == []


def test_nonsense_and_no_team_are_no_error(as_owner: Client, owner: User, team: Team) -> None:
    ended(team, owner)
    for query in ({"since": "x"}, {"since": "-1"}, {"since": "9" * 30}, {"tell": "x,,\0"}):
        assert told(as_owner, **query) == []
    alone = Client()
    alone.force_login(make_person("ann"))
    assert alone.get(PATH, {"since": 0}).json() == {"seq": 0, "ended": []}
    assert Client().get(PATH).status_code in (302, 401)
