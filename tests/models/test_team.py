"""Teams, roles, and secrets that are kept as hashes."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import IntegrityError
from django.utils import timezone

from requests_app.models import Membership, Role, SetupLink, Team, digest

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


def test_a_new_setup_link_ends_the_earlier_ones(db: None) -> None:
    first, second = SetupLink.issue(), SetupLink.issue()
    kept = SetupLink.objects.get()
    assert kept.digest == digest(second) != digest(first)


def test_a_used_setup_link_stays_as_evidence(db: None) -> None:
    SetupLink.issue()
    SetupLink.objects.update(used_at=NOW)
    SetupLink.issue()
    assert SetupLink.objects.count() == 2
