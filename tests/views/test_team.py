"""The pages of the team as a whole: who sees which act, and what each says."""

from __future__ import annotations

import pytest
from django.urls import reverse

from requests_app.models import Membership, Role, Team
from tests.browsers import Browser
from tests.builders import make_person

PAGE = reverse("requests:team")


def as_role(team: Team, role: str) -> Browser:
    client = Browser()
    client.force_login(make_person(f"the-{role}", team=team, role=role))
    return client


@pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
def test_owners_see_the_acts_on_the_team_and_all_may_leave(team, owner, role):
    client = as_role(team, role)
    shown = client.get(PAGE).text
    for words in ("Rename", "Hand the team over", "New team"):
        assert (words in shown) == (role == "owner"), words
    assert "Leave the team" in shown
    assert client.post(reverse("requests:leave_team"), follow=True).status_code == 403
    assert not team.memberships.filter(role=role, user__username=f"the-{role}").exists()


@pytest.mark.parametrize("role", ["admin", "member", "viewer"])
def test_who_owns_nothing_renames_hands_over_and_creates_nothing(team, owner, role):
    client, mine = as_role(team, role), team.memberships.get(user=owner)
    renamed = client.post(reverse("requests:rename_team"), {"name": "Mine"})
    said = client.post(reverse("requests:transfer_team"), {"member": mine.pk})
    for refused in (renamed, said):
        assert refused.status_code == 403 and "Only an owner" in refused.text
    made = client.post(reverse("requests:new_team"), {"name": "Mine"})
    assert made.status_code == 422 and "Only the owner" in made.text and 'value="Mine"' in made.text
    assert "Only the owner" in client.get(reverse("requests:new_team")).text
    assert not Team.objects.filter(name="Mine").exists()


def test_an_owner_creates_a_team_and_is_in_it(as_owner, owner):
    said = as_owner.post(reverse("requests:new_team"), {"name": "Second"}, follow=True)
    assert "Second is yours" in said.text
    assert "Second: settings" in said.text
    assert Membership.objects.get(team__name="Second", user=owner).role == Role.OWNER


@pytest.mark.parametrize("typed", ["", "x" * 81, "a\x00b"])
def test_a_name_that_cannot_be_is_refused_and_stays(as_owner, team, typed):
    for name in ("rename_team", "new_team"):
        reply = as_owner.post(reverse(f"requests:{name}"), {"name": typed})
        assert reply.status_code == 422
    assert Team.objects.filter(pk=team.pk, name=team.name).exists()


def test_an_owner_renames_and_hands_over(as_owner, team, teammate):
    said = as_owner.post(reverse("requests:rename_team"), {"name": "Better"}, follow=True)
    assert "The team is called Better now" in said.text
    for typed in ("", "x", "-1", "9" * 40):
        said = as_owner.post(reverse("requests:transfer_team"), {"member": typed}, follow=True)
        assert "Choose the member" in said.text
    heir = team.memberships.get(user=teammate)
    said = as_owner.post(reverse("requests:transfer_team"), {"member": heir.pk}, follow=True)
    assert f"{teammate.username} owns the team now" in said.text
    heir.refresh_from_db()
    assert heir.role == Role.OWNER


def test_the_last_owner_stays_and_is_told_why(as_owner, team, owner):
    assert "only owner" in as_owner.get(PAGE).text
    said = as_owner.post(reverse("requests:leave_team"), follow=True)
    assert "A team needs an owner" in said.text
    assert team.memberships.filter(user=owner).exists()
