"""A further team, another name, another owner; and that a team is never without one."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app.models import Invitation, Membership, Role, Team
from requests_app.teams import invitations, members, owning
from requests_app.teams.people import TeamChangeRefused
from tests.builders import make_person

TRIES = 200


@pytest.fixture
def mine(owner: User, team: Team) -> Membership:
    return team.memberships.get(user=owner)


def member(team: Team, name: str, role: str) -> Membership:
    return team.memberships.get(user=make_person(name, team=team, role=role))


def test_an_owner_makes_a_further_team_and_nobody_else_does(team, mine):
    made = owning.create("Second", by=mine.user)
    assert made.memberships.get().role == Role.OWNER
    for name in ("Second", "ѕecond"):  # noqa: RUF001 - a Cyrillic letter
        with pytest.raises(TeamChangeRefused, match="looks like"):
            owning.create(name, by=mine.user)
    for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER):
        with pytest.raises(TeamChangeRefused, match="Only the owner"):
            owning.create("Third", by=member(team, f"a {role}", role).user)
    assert Team.objects.filter(name="Third").count() == 0


def test_an_owner_renames_to_a_name_that_is_free(team, mine):
    Team.objects.create(name="Taken")
    with pytest.raises(TeamChangeRefused, match="looks like"):
        owning.rename("taken", by=mine)
    with pytest.raises(TeamChangeRefused, match="Only an owner"):
        owning.rename("Free", by=member(team, "admin", Role.ADMIN))
    owning.rename(team.name.upper(), by=mine)
    owning.rename("Free", by=mine)
    assert Team.objects.get(pk=team.pk).name == "Free"


def test_a_team_is_handed_over_in_one_act(team, mine):
    heir, other = member(team, "heir", Role.VIEWER), Team.objects.create(name="Other")
    invitations.invite(team, Role.OWNER, by=mine, now=timezone.now())
    away = member(other, "away", Role.MEMBER)
    gone = member(team, "gone", Role.MEMBER)
    User.objects.filter(pk=gone.user_id).update(is_active=False)
    for to in (away.pk, mine.pk, gone.pk, 10**9):
        with pytest.raises(TeamChangeRefused):
            owning.transfer(to, by=mine)
    assert owning.transfer(heir.pk, by=mine).user == heir.user
    roles = dict(team.memberships.values_list("user__username", "role"))
    assert roles["heir"] == Role.OWNER and roles[mine.user.get_username()] == Role.ADMIN
    # What only an owner may give ends with the right to give it.
    assert not Invitation.objects.live(timezone.now()).exists()
    with pytest.raises(TeamChangeRefused, match="Only an owner"):
        owning.transfer(heir.pk, by=mine)


def test_an_owner_whose_account_is_switched_off_does_not_count(team, mine):
    second = member(team, "second", Role.OWNER)
    User.objects.filter(pk=second.user_id).update(is_active=False)
    with pytest.raises(TeamChangeRefused, match="needs an owner"):
        members.leave(mine)


def test_any_member_leaves_and_takes_back_what_they_gave(team, mine):
    admin = member(team, "admin", Role.ADMIN)
    invitations.invite(team, Role.MEMBER, by=admin, now=timezone.now())
    for one in (admin, member(team, "low", Role.VIEWER)):
        members.leave(one)
        members.leave(one)  # sent twice
    assert team.memberships.get() == mine
    assert not Invitation.objects.live(timezone.now()).exists()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_of_two_hundred_tries_at_once_none_takes_the_last_owner():
    team, dice = Team.objects.create(name="Race"), Random(7)
    people = [member(team, f"p{number}", Role.OWNER) for number in range(8)]

    def attempt(work: Callable[[], Any]) -> bool:
        try:
            work()
            return True
        except TeamChangeRefused:
            return False
        finally:
            connection.close()

    def some_act() -> Callable[[], Any]:
        one, other = dice.sample(people, 2)
        return dice.choice(
            (
                lambda: members.leave(one),
                lambda: members.change_role(one, Role.VIEWER, by=other),
                lambda: members.change_role(one, Role.ADMIN, by=one),
                lambda: members.remove(one, by=other),
                lambda: owning.transfer(other.pk, by=one),
            )
        )

    acts = [some_act() for _ in range(TRIES)]
    with ThreadPoolExecutor(16) as pool:
        done = list(pool.map(attempt, acts))
    assert any(done) and not all(done)
    assert team.memberships.filter(role=Role.OWNER, user__is_active=True).count() >= 1
