"""A new account behind an invitation never takes the name of another."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import Account, Membership, Role, Team
from requests_app.teams import invitations
from requests_app.teams.invitations import MOST_REFUSED_NAMES
from tests.builders import make_person

PASSWORD = "four plain words"


@pytest.fixture
def path(team: Team, owner: User) -> str:
    mine = Membership.objects.get(user=owner)
    secret = invitations.invite(team, Role.MEMBER, by=mine, now=datetime.now(UTC))
    return f"/join/{secret}/"


@pytest.mark.parametrize("name", ["Olga", "OLGA", "ｏｌｇａ", "оlgа", "olga"])
def test_a_name_that_is_taken_in_any_spelling_is_refused_at_its_field(
    path: str, name: str, team: Team
) -> None:
    response = Client().post(path, {"username": name, "password": PASSWORD})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"username"}
    assert f'value="{User.normalize_username(name)}"' in response.text or name in response.text
    assert team.memberships.count() == 1
    again = Client().post(path, {"username": "Nina", "password": PASSWORD})
    assert again.status_code == 302  # the link was not used up


def test_a_name_that_is_taken_in_the_same_moment_is_refused_too(
    path: str, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(Account.objects), "is_taken", lambda self, name: False)
    response = Client().post(path, {"username": "OLGA", "password": PASSWORD})
    assert response.status_code == 422
    assert set(response.context["form"].errors) == {"username"}
    assert team.memberships.count() == 1
    assert Client().get(path).status_code == 200


def test_who_joins_and_who_was_there_both_log_in_afterwards(path: str, owner: User) -> None:
    assert Client().post(path, {"username": "Boss", "password": PASSWORD}).status_code == 302
    for name, password in (("BOSS", PASSWORD), ("OLGA", "a long pass phrase")):
        form = {"login": name, "password": password}
        assert Client().post("/accounts/login/", form).status_code == 302


def test_a_link_tells_of_a_few_names_only_that_somebody_has_them(
    path: str, team, owner: User
) -> None:
    for number in range(MOST_REFUSED_NAMES + 3):
        make_person(f"p{number}")
        said = Client().post(path, {"username": f"p{number}", "password": PASSWORD})
        assert said.status_code == 422
        assert ("is taken" in said.text) == (number < MOST_REFUSED_NAMES)
        assert ("refused too many names" in said.text) == (number >= MOST_REFUSED_NAMES)
        assert f'value="p{number}"' in said.text
    assert Client().post(path, {"username": "free", "password": PASSWORD}).status_code == 422
    assert not User.objects.filter(username="free").exists()
    member = Client()
    member.force_login(User.objects.get(username="p0"))
    assert member.post(path).status_code == 302
    assert team.memberships.filter(user__username="p0").exists()


@pytest.mark.parametrize("password", ["", "short", "password123"])
def test_names_are_not_asked_for_with_a_form_that_makes_no_account(
    path: str, owner: User, password: str
) -> None:
    make_person("nadia")
    asked = [
        re.sub(
            rf"{name}|[\w-]{{30,}}",
            "",
            Client().post(path, {"username": name, "password": password}).text,
        )
        for name in ("nadia", "free")
    ]
    assert asked[0] == asked[1]
    assert "is taken" not in asked[0]
