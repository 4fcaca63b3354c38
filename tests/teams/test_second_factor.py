"""Only an owner with a second factor requires two of the team; it is noted, and tokens follow their own rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from requests_app.models import (
    ApiToken,
    AuditAct,
    AuditEntry,
    Membership,
    Role,
    Team,
    TokenScope,
)
from requests_app.teams import tokens
from requests_app.teams.people import TeamChangeRefused
from requests_app.teams.second_factor import YOURS_FIRST, require, without_factor
from tests.builders import make_person
from tests.factors import turned_on


@pytest.fixture(autouse=True)
def _secrets(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []


def of(user: User) -> Membership:
    return Membership.objects.get(user=user)


def test_an_owner_without_a_factor_does_not_lock_the_team(owner: User, team: Team) -> None:
    with pytest.raises(TeamChangeRefused, match=YOURS_FIRST):
        require(is_on=True, by=of(owner))
    assert not Team.objects.get().requires_factors and not AuditEntry.objects.exists()


def test_an_owner_alone_turns_it_on_and_off_and_each_turn_is_noted_once(
    as_owner: Client, owner: User, team: Team
) -> None:
    admin = make_person("ada", team=team, role=Role.ADMIN)
    turned_on(as_owner)
    with pytest.raises(TeamChangeRefused, match="Only an owner"):
        require(is_on=True, by=of(admin))
    for is_on in (True, True, False, False):
        require(is_on=is_on, by=of(owner))
        assert Team.objects.get().requires_factors is is_on
    noted = AuditEntry.objects.filter(act=AuditAct.SETTING_CHANGED).order_by("pk")
    assert [(one.actor, one.details) for one in noted] == [
        ("olga", '{"after":true,"before":false}'),
        ("olga", '{"after":false,"before":true}'),
    ]


def test_tokens_made_earlier_go_on_and_new_ones_need_a_factor(
    as_owner: Client, owner: User, teammate: User, team: Team
) -> None:
    new = tokens.NewToken("nightly", TokenScope.READ)
    early = tokens.issue(of(teammate), new)
    turned_on(as_owner)
    require(is_on=True, by=of(owner))
    assert without_factor(team) == ["tom"]
    found = ApiToken.find(early, now=timezone.now())
    assert found and found.refusal(TokenScope.READ) == ""
    with pytest.raises(TeamChangeRefused, match="requires two factors"):
        tokens.issue(of(teammate), new)
    service = tokens.NewToken("robot", TokenScope.READ, is_service=True)
    for text in (tokens.issue(of(owner), new), tokens.issue(of(owner), service)):
        assert ApiToken.find(text, now=timezone.now())
