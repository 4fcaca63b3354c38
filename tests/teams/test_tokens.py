"""Whose a token is, who revokes it, and what works once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.models import ApiToken, Membership, Role, Team, TokenScope
from requests_app.teams import members, tokens
from requests_app.teams.people import TeamChangeRefused
from tests.builders import make_person

NEW = tokens.NewToken("nightly", TokenScope.SUBMIT)
SERVICE = tokens.NewToken("nightly", TokenScope.SUBMIT, is_service=True)


@pytest.fixture
def mine(owner: User, team: Team) -> Membership:
    return team.memberships.get(user=owner)


def member(team: Team, name: str, role: str) -> Membership:
    return team.memberships.get(user=make_person(name, team=team, role=role))


def found(text: str) -> ApiToken | None:
    return ApiToken.find(text, now=timezone.now())


def test_a_form_that_is_sent_twice_makes_one_token(mine):
    new = tokens.NewToken("nightly", TokenScope.READ, form_key="a" * 32)
    tokens.issue(mine, new)
    with pytest.raises(tokens.AlreadyMade, match="only once"):
        tokens.issue(mine, new)
    assert ApiToken.objects.count() == 1


@pytest.mark.parametrize("role", Role)
def test_service_tokens_are_made_by_who_manages(team, mine, role):
    maker = member(team, "ann", role)
    if role not in (Role.OWNER, Role.ADMIN):
        with pytest.raises(TeamChangeRefused, match="owners and admins"):
            tokens.issue(maker, SERVICE)
        assert not team.memberships.filter(is_service=True).exists()
        return
    token = found(tokens.issue(maker, SERVICE))
    assert token and token.user != maker.user and not token.user.has_usable_password()
    assert (token.role, token.user.username) == (Role.MEMBER, f"nightly #{team.pk}")


def test_a_service_token_stays_when_its_maker_leaves_and_who_removes_him_is_told(team, mine):
    maker = member(team, "ann", Role.ADMIN)
    personal, service = tokens.issue(maker, NEW), tokens.issue(maker, SERVICE)
    members.remove(maker, by=mine)
    assert found(personal) is None and found(service) is not None
    assert tokens.left_behind(maker, now=timezone.now()) == 1
    tokens.revoke(mine, ApiToken.objects.get(is_service=True).pk, now=timezone.now())
    assert found(service) is None
    assert tokens.left_behind(maker, now=timezone.now()) == 0


def test_two_tokens_of_one_service_act_as_one_account_in_any_spelling(team, mine):
    new = [
        tokens.NewToken(name, TokenScope.READ, is_service=True) for name in ("nightly", "Nightly")
    ]
    one, two = (found(tokens.issue(mine, each)) for each in new)
    assert one and two and one.user == two.user


def test_each_team_has_its_own_service_of_a_name(team, mine, stranger):
    elsewhere = stranger.memberships.get()
    one, two = (found(tokens.issue(who, SERVICE)) for who in (mine, elsewhere))
    assert one and two and one.user != two.user and one.team != two.team


@pytest.mark.parametrize(
    ("whose", "by", "is_revoked"),
    [
        (Role.MEMBER, Role.OWNER, True),
        (Role.MEMBER, Role.ADMIN, True),
        (Role.OWNER, Role.ADMIN, None),
        (Role.MEMBER, Role.MEMBER, False),
        (Role.MEMBER, Role.VIEWER, False),
    ],
)
def test_who_manages_revokes_the_tokens_of_members(team, mine, whose, by, is_revoked):
    text = tokens.issue(member(team, "ann", whose), NEW)
    pk, other = ApiToken.objects.get().pk, member(team, "ben", by)
    if is_revoked is None:
        with pytest.raises(TeamChangeRefused, match="owner"):
            tokens.revoke(other, pk, now=timezone.now())
    else:
        assert tokens.revoke(other, pk, now=timezone.now()) is is_revoked
    assert (found(text) is None) is (is_revoked is True)


def test_ones_own_token_is_revoked_and_one_of_another_team_is_not_there(team, mine, stranger):
    text = tokens.issue(mine, NEW)
    pk = ApiToken.objects.get().pk
    assert not tokens.revoke(stranger.memberships.get(), pk, now=timezone.now())
    assert found(text) is not None
    assert tokens.revoke(mine, pk, now=timezone.now())
    assert found(text) is None
    assert not tokens.revoke(mine, pk, now=timezone.now())


def test_lists_show_what_may_be_revoked(team, mine, stranger):
    tokens.issue(stranger.memberships.get(), NEW)
    low = member(team, "low", Role.MEMBER)
    for maker in (mine, low):
        tokens.issue(maker, NEW)
    tokens.issue(mine, SERVICE)
    shown = [tokens.own(mine), tokens.of_service(mine), tokens.of_others(mine)]
    assert [[one.user.username for one in rows] for rows in shown] == [
        ["olga"], [f"nightly #{team.pk}"], ["low"],
    ]  # fmt: skip
    assert [len(rows) for rows in (tokens.own(low), tokens.of_service(low), tokens.of_others(low))] == [1, 0, 0]  # fmt: skip


def test_a_removed_member_gets_no_token_from_a_page_that_was_open(team, mine):
    out = member(team, "out", Role.ADMIN)
    members.remove(out, by=mine)
    for new in (NEW, SERVICE):
        with pytest.raises(TeamChangeRefused, match="left"):
            tokens.issue(out, new)
    assert not ApiToken.objects.exists()


def test_there_are_not_more_than_can_be_read(team, mine, monkeypatch):
    monkeypatch.setattr(tokens, "MOST", 1)
    tokens.issue(mine, NEW)
    with pytest.raises(TeamChangeRefused, match="revoke one"):
        tokens.issue(mine, NEW)
    tokens.issue(mine, SERVICE)


def test_an_expired_token_lets_no_program_in_and_is_still_shown(team, mine):
    past = tokens.NewToken("old", TokenScope.READ, timezone.now() - timedelta(seconds=1))
    assert found(tokens.issue(mine, past)) is None
    assert [one.is_expired for one in tokens.own(mine)] == [True]
