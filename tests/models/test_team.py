"""Teams, roles, and secrets that are kept as hashes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError
from django.utils import timezone

from requests_app.models import ApiToken, Membership, Role, SetupLink, Team, digest

NOW = timezone.now()


def test_people_see_their_own_teams_alone(team: Team, owner: User, stranger: User) -> None:
    assert list(Team.objects.of(owner)) == [team]
    assert team not in Team.objects.of(stranger)
    assert not Team.objects.of(AnonymousUser()).exists()


@pytest.mark.parametrize("role", Role.values)
def test_viewers_look_and_everybody_else_submits(role: str) -> None:
    assert Membership(role=role).may_submit is (role != Role.VIEWER)


def test_a_person_is_in_a_team_once(team: Team, owner: User) -> None:
    with pytest.raises(IntegrityError):
        Membership.objects.create(team=team, user=owner)


def test_a_token_is_found_by_its_text_and_kept_without_it(team: Team, owner: User) -> None:
    text = ApiToken.issue(owner, team)
    assert text not in str(ApiToken.objects.values())
    token = ApiToken.find(text, now=NOW)
    assert token is not None
    assert (token.user, token.team) == (owner, team)
    token.refresh_from_db()
    assert token.last_used_at == NOW


def test_texts_that_are_no_token_find_none(team: Team, owner: User) -> None:
    text = ApiToken.issue(owner, team)
    for wrong in ("", text[:-1], text + "x", text.upper(), digest(text)):
        assert ApiToken.find(wrong, now=NOW) is None


def test_a_token_ends_when_revoked_or_its_owner_leaves_or_is_blocked(
    team: Team, owner: User, teammate: User
) -> None:
    revoked, left = ApiToken.issue(owner, team), ApiToken.issue(teammate, team)
    ApiToken.objects.filter(digest=digest(revoked)).update(revoked_at=NOW - timedelta(days=1))
    Membership.objects.filter(user=teammate).delete()
    assert ApiToken.find(revoked, now=NOW) is None
    assert ApiToken.find(left, now=NOW) is None
    blocked = ApiToken.issue(owner, team)
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert ApiToken.find(blocked, now=NOW) is None


def test_two_tokens_are_never_alike(team: Team, owner: User) -> None:
    texts = {ApiToken.issue(owner, team) for _ in range(20)}
    assert len(texts) == 20
    assert all(text.startswith(ApiToken.PREFIX) and len(text) > 40 for text in texts)


def test_a_new_setup_link_ends_the_earlier_ones(db: None) -> None:
    first, second = SetupLink.issue(), SetupLink.issue()
    kept = SetupLink.objects.get()
    assert kept.digest == digest(second) != digest(first)


def test_a_used_setup_link_stays_as_evidence(db: None) -> None:
    SetupLink.issue()
    SetupLink.objects.update(used_at=NOW)
    SetupLink.issue()
    assert SetupLink.objects.count() == 2
