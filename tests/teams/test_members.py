"""Who may let whom in, change and remove; and what works once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import ApiToken, Invitation, Membership, Role, Team, TokenScope
from requests_app.teams import invitations, members, tokens
from requests_app.teams.people import TeamChangeRefused
from tests.builders import make_person
from tests.teams.races import Meanwhile


@pytest.fixture
def mine(owner: User, team: Team) -> Membership:
    return team.memberships.get(user=owner)


def member(team: Team, name: str, role: str) -> Membership:
    return team.memberships.get(user=make_person(name, team=team, role=role))


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_who_does_not_manage_touches_nobody(team, mine, role):
    low, other = member(team, "low", role), member(team, "other", Role.MEMBER)
    with pytest.raises(TeamChangeRefused):
        members.remove(other, by=low)
    with pytest.raises(TeamChangeRefused):
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
    ):
        with pytest.raises(TeamChangeRefused, match="owner"):
            attempt()
    assert {one.role for one in team.memberships.all()} == {Role.OWNER, Role.ADMIN}


def test_a_team_keeps_its_last_owner(team, mine):
    for attempt in (
        lambda: members.remove(mine, by=mine),
        lambda: members.change_role(mine, Role.ADMIN, by=mine),
    ):
        with pytest.raises(TeamChangeRefused, match="needs an owner"):
            attempt()
    second = member(team, "second", Role.OWNER)
    members.remove(mine, by=mine)
    with pytest.raises(TeamChangeRefused, match="needs an owner"):
        members.remove(second, by=second)


def test_an_owner_of_another_team_does_not_count(team, mine, stranger):
    with pytest.raises(TeamChangeRefused, match="needs an owner"):
        members.remove(mine, by=mine)


def test_who_is_removed_takes_the_tokens_for_this_team_along(team, mine, stranger):
    out = member(team, "out", Role.MEMBER)
    other = Team.objects.exclude(pk=team.pk).get()
    Membership.objects.create(team=other, user=out.user)
    gone, kept = ApiToken.issue(out.user, team), ApiToken.issue(out.user, other)
    members.remove(out, by=mine)
    # Back in the team, the old token must not come to life again.
    members.join(team, out.user, Role.MEMBER)
    assert ApiToken.find(gone, now=timezone.now()) is None
    assert ApiToken.find(kept, now=timezone.now()) is not None
    with pytest.raises(TeamChangeRefused, match="meanwhile"):
        members.remove(out, by=mine)


@pytest.mark.parametrize("role", Role)
def test_a_token_may_what_its_person_may_now(team, mine, role):
    """There is no role in a token: a downgrade needs no word to it."""
    person = member(team, "ann", Role.ADMIN)
    token = ApiToken.find(ApiToken.issue(person.user, team), now=timezone.now())
    members.change_role(person, role, by=mine)
    assert token is not None
    assert Membership.objects.get(team=token.team, user=token.user).role == role


@pytest.mark.parametrize(
    ("given", "before", "after", "is_kept"),
    [
        (Role.OWNER, Role.OWNER, Role.ADMIN, False),
        (Role.OWNER, Role.OWNER, Role.MEMBER, False),
        (Role.ADMIN, Role.OWNER, Role.ADMIN, True),
        (Role.ADMIN, Role.ADMIN, Role.MEMBER, False),
        (Role.VIEWER, Role.ADMIN, Role.MEMBER, False),
        (Role.VIEWER, Role.ADMIN, Role.VIEWER, False),
        (Role.MEMBER, Role.ADMIN, Role.OWNER, True),
    ],
)
def test_a_change_of_role_withdraws_what_may_no_longer_be_given(
    team, mine, given, before, after, is_kept
):
    giver, now = member(team, "giver", before), timezone.now()
    make_person("guest")
    invitations.invite(team, given, by=giver, now=now)
    invitations.offer(team, "guest", given, by=giver, now=now)
    invitations.invite(team, Role.OWNER, by=mine, now=now)
    members.change_role(giver, after, by=mine)
    live = Invitation.objects.live(now)
    assert live.filter(made_by=giver.user).count() == (2 if is_kept else 0)
    assert live.filter(made_by=mine.user).count() == 1


def test_a_removal_withdraws_what_was_given_and_what_was_offered(team, mine, stranger):
    giver, now = member(team, "giver", Role.ADMIN), timezone.now()
    other = Team.objects.exclude(pk=team.pk).get()
    elsewhere = Membership.objects.create(team=other, user=giver.user, role=Role.OWNER)
    invitations.invite(other, Role.ADMIN, by=elsewhere, now=now)
    invitations.invite(team, Role.ADMIN, by=giver, now=now)
    used = invitations.invite(team, Role.VIEWER, by=giver, now=now)
    invitations.accept(used, make_person("guest"), now=now)
    invitations.invite(team, Role.VIEWER, by=mine, now=now)
    Invitation.offer(team, Role.ADMIN, by=mine.user, now=now, to_name="giver", to_user=giver.user)
    assert members.remove(giver, by=mine) == 1  # the link of another one, which may be known
    left = Invitation.objects.live(now).values_list("team", "made_by")
    assert sorted(left) == sorted([(other.pk, giver.user.pk), (team.pk, mine.user.pk)])
    assert team.memberships.filter(user__username="guest").exists()


def test_who_was_downgraded_meanwhile_acts_with_the_present_right(team, mine):
    """The page was opened as an admin."""
    admin, other = member(team, "admin", Role.ADMIN), member(team, "other", Role.MEMBER)
    Membership.objects.filter(pk=admin.pk).update(role=Role.MEMBER)
    for attempt in (
        lambda: members.remove(other, by=admin),
        lambda: members.change_role(other, Role.VIEWER, by=admin),
        lambda: invitations.invite(team, Role.VIEWER, by=admin, now=timezone.now()),
        lambda: invitations.offer(team, "x", Role.VIEWER, by=admin, now=timezone.now()),
    ):
        with pytest.raises(TeamChangeRefused, match="owners and admins"):
            attempt()
    assert not Invitation.objects.exists()


# --- at the same moment ---------------------------------------------------------------------------

Act = Callable[[Membership], Any]
WHO_IS_REMOVED: dict[str, Act] = {
    "invites": lambda it: invitations.invite(it.team, Role.ADMIN, by=it, now=timezone.now()),
    "offers": lambda it: invitations.offer(it.team, "x", Role.ADMIN, by=it, now=timezone.now()),
    "takes a token": lambda it: tokens.issue(it, tokens.NewToken("x", TokenScope.READ)),
    "takes a service token": lambda it: tokens.issue(
        it, tokens.NewToken("x", TokenScope.READ, is_service=True)
    ),
    "removes": lambda it: members.remove(it.team.memberships.get(user__username="other"), by=it),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("act", WHO_IS_REMOVED)
def test_who_is_being_removed_gives_nothing_at_the_same_moment(act, monkeypatch):
    team = Team.objects.create(name="Race")
    mine, out = member(team, "owner", Role.OWNER), member(team, "out", Role.ADMIN)
    member(team, "other", Role.MEMBER)
    meanwhile = Meanwhile(lambda: WHO_IS_REMOVED[act](out))
    meanwhile.starts_in(monkeypatch, members, "_check_not_last_owner")
    members.remove(out, by=mine)
    assert isinstance(meanwhile.outcome(), TeamChangeRefused)
    assert not Invitation.objects.exists() and not ApiToken.objects.exists()
    assert set(team.memberships.values_list("user__username", flat=True)) == {"owner", "other"}


@pytest.mark.django_db(transaction=True)
def test_of_two_owners_who_remove_each_other_one_stays(monkeypatch):
    team = Team.objects.create(name="Race")
    one, other = member(team, "one", Role.OWNER), member(team, "two", Role.OWNER)
    meanwhile = Meanwhile(lambda: members.remove(one, by=other))
    meanwhile.starts_in(monkeypatch, members, "_check_not_last_owner")
    members.remove(other, by=one)
    assert isinstance(meanwhile.outcome(), TeamChangeRefused)
    assert list(team.memberships.all()) == [one]
