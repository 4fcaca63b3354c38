"""Who may let whom in, change and remove; and what works once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from requests_app.models import ApiToken, Invitation, Membership, Role, Team
from requests_app.teams import members
from requests_app.teams.members import InvitationDead, Refused
from tests.builders import make_person

ROLES = [Role.OWNER, Role.ADMIN, Role.MEMBER, Role.VIEWER]


@pytest.fixture
def mine(owner: User, team: Team) -> Membership:
    return team.memberships.get(user=owner)


def member(team: Team, name: str, role: str) -> Membership:
    return team.memberships.get(user=make_person(name, team=team, role=role))


def test_an_existing_user_is_added_by_name_once(team, mine):
    make_person("ann")
    assert members.add(team, "ann", Role.VIEWER, by=mine).role == Role.VIEWER
    with pytest.raises(Refused, match="already"):
        members.add(team, "ann", Role.MEMBER, by=mine)
    with pytest.raises(Refused, match="no user"):
        members.add(team, "nobody", Role.MEMBER, by=mine)


def test_somebody_switched_off_is_not_added(team, mine):
    User.objects.create_user("gone", is_active=False)
    with pytest.raises(Refused, match="no user"):
        members.add(team, "gone", Role.MEMBER, by=mine)


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_who_does_not_manage_touches_nobody(team, mine, role):
    low, other = member(team, "low", role), member(team, "other", Role.MEMBER)
    with pytest.raises(Refused):
        members.remove(other, by=low)
    with pytest.raises(Refused):
        members.change_role(other, Role.VIEWER, by=low)


def test_an_admin_manages_everybody_but_owners(team, mine):
    admin = member(team, "admin", Role.ADMIN)
    other = member(team, "other", Role.MEMBER)
    members.change_role(other, Role.ADMIN, by=admin)
    members.remove(other, by=admin)
    for attempt in (
        lambda: members.remove(mine, by=admin),
        lambda: members.change_role(mine, Role.VIEWER, by=admin),
        lambda: members.change_role(admin, Role.OWNER, by=admin),
        lambda: members.invite(team, Role.OWNER, by=admin, now=timezone.now()),
        lambda: members.add(team, "x", Role.OWNER, by=admin),
    ):
        with pytest.raises(Refused, match="owner"):
            attempt()
    assert {one.role for one in team.memberships.all()} == {Role.OWNER, Role.ADMIN}


def test_a_team_keeps_its_last_owner(team, mine):
    for attempt in (
        lambda: members.remove(mine, by=mine),
        lambda: members.change_role(mine, Role.ADMIN, by=mine),
    ):
        with pytest.raises(Refused, match="needs an owner"):
            attempt()
    second = member(team, "second", Role.OWNER)
    members.remove(mine, by=mine)
    with pytest.raises(Refused, match="needs an owner"):
        members.remove(second, by=second)


def test_an_owner_of_another_team_does_not_count(team, mine, stranger):
    with pytest.raises(Refused, match="needs an owner"):
        members.remove(mine, by=mine)


def test_who_is_removed_takes_the_tokens_for_this_team_along(team, mine, stranger):
    out = member(team, "out", Role.MEMBER)
    other = Team.objects.exclude(pk=team.pk).get()
    Membership.objects.create(team=other, user=out.user)
    gone, kept = ApiToken.issue(out.user, team), ApiToken.issue(out.user, other)
    members.remove(out, by=mine)
    # Back in the team, the old token must not come to life again.
    members.add(team, "out", Role.MEMBER, by=mine)
    assert ApiToken.find(gone, now=timezone.now()) is None
    assert ApiToken.find(kept, now=timezone.now()) is not None
    with pytest.raises(Refused, match="meanwhile"):
        members.remove(out, by=mine)


def test_an_invitation_lets_one_person_in_once(team, mine):
    secret = members.invite(team, Role.VIEWER, by=mine, now=timezone.now())
    assert secret not in str(list(Invitation.objects.values()))
    assert members.accept(secret, make_person("ann"), now=timezone.now()) == team
    assert team.memberships.get(user__username="ann").role == Role.VIEWER
    with pytest.raises(InvitationDead):
        members.accept(secret, make_person("bob"), now=timezone.now())


def test_an_invitation_is_not_used_up_by_a_member(team, mine, teammate):
    secret = members.invite(team, Role.VIEWER, by=mine, now=timezone.now())
    with pytest.raises(Refused, match="already"):
        members.accept(secret, teammate, now=timezone.now())
    assert members.invitation(secret, now=timezone.now()).team == team


def test_an_invitation_ends_after_its_week_or_when_withdrawn(team, mine, stranger):
    now = timezone.now()
    old = members.invite(team, Role.MEMBER, by=mine, now=now - timedelta(days=7, seconds=1))
    secret = members.invite(team, Role.MEMBER, by=mine, now=now)
    pk = members.invitation(secret, now=now).pk
    other = Team.objects.exclude(pk=team.pk).get()
    assert not members.withdraw(other, pk, now=now)
    assert members.withdraw(team, pk, now=now)
    for dead in (old, secret, "never"):
        with pytest.raises(InvitationDead):
            members.invitation(dead, now=now)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_one_is_let_in():
    team = Team.objects.create(name="Race")
    mine = member(team, "owner", Role.OWNER)
    secret = members.invite(team, Role.MEMBER, by=mine, now=timezone.now())
    people = [make_person(f"p{n}") for n in range(4)]
    answers: list[str] = []

    def come(person: User) -> None:
        try:
            members.accept(secret, person, now=timezone.now())
            answers.append("in")
        except InvitationDead:
            answers.append("dead")
        finally:
            connection.close()

    threads = [threading.Thread(target=come, args=[person]) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["dead", "dead", "dead", "in"]
    assert team.memberships.count() == 2


def test_only_ones_own_token_for_the_team_is_revoked(team, mine, teammate):
    text = ApiToken.issue(teammate, team)
    pk = ApiToken.objects.get().pk
    assert not members.revoke_token(mine, pk, now=timezone.now())
    assert members.revoke_token(team.memberships.get(user=teammate), pk, now=timezone.now())
    assert ApiToken.find(text, now=timezone.now()) is None
