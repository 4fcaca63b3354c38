"""Whoever knows the password of an account gets in, however the name is spelt."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.hashers import MD5PasswordHasher, make_password
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from requests_app.models import Role, Team
from tests.builders import make_person

PASSWORD = "a long pass phrase"
HASHERS = [  # as in the settings: the suite itself uses a quick one
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]


def came_in(name: str, password: str = PASSWORD) -> str | None:
    """The user whom the log-in page lets in."""
    browser = Client()
    response = browser.post("/accounts/login/", {"login": name, "password": password})
    return browser.session["_auth_user_id"] if response.status_code == 302 else None


@pytest.mark.parametrize("made", ["boss", "Boss", "BOSS"])
@pytest.mark.parametrize("typed", ["boss", "Boss", "BOSS", " bOSS ", "ｂｏｓｓ", "bо\u0455s"])
def test_every_spelling_of_a_name_logs_in_to_the_same_account(
    db: None, made: str, typed: str
) -> None:
    boss = make_person(made)
    make_person("bossy")
    assert came_in(typed) == str(boss.pk)


def test_an_account_that_was_made_past_the_check_does_not_shut_out_the_older_one(db: None) -> None:
    older = make_person("coca")
    newer = User.objects.create_user("соса", password="another pass phrase")
    assert came_in("coca") == str(older.pk)
    assert came_in("соса", "another pass phrase") is None
    newer.username = "cola"
    newer.save()
    assert came_in("Cola", "another pass phrase") == str(newer.pk)


@pytest.mark.parametrize("name", ["nobody", "", "n\x00l", "\ud83d", "x" * 10_000, "ﷺ" * 150])
def test_a_name_that_is_nobodys_is_no_error(db: None, name: str) -> None:
    assert authenticate(None, username=name.replace("\x00", ""), password=PASSWORD) is None
    browser = Client()
    form = {"login": name.encode("utf-8", "replace").decode(), "password": "wrong"}
    assert browser.post("/accounts/login/", form).status_code == 200


def test_an_unknown_name_costs_a_hash_as_a_known_one_does(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr(User, "set_password", lambda self, text: hashed.append(text))
    authenticate(None, username="nobody", password="one")
    assert hashed == ["one"]


class CountedHasher(MD5PasswordHasher):
    """A quick one that knows how often it was used."""

    count = 0

    def encode(self, password: str, salt: str) -> str:
        type(self).count += 1
        return super().encode(password, salt)


@pytest.mark.parametrize("teams", [0, 1, 3])
def test_a_wrong_password_costs_as_much_with_an_account_as_without_one(
    db: None, settings: Any, teams: int
) -> None:
    settings.PASSWORD_HASHERS = [f"{__name__}.CountedHasher"]
    boss = make_person("boss")
    for number in range(teams):
        Team.objects.create(name=f"Team {number}").memberships.create(user=boss, role=Role.MEMBER)
    costs = []
    for name in ("warm-up", "boss", "nobody"):
        CountedHasher.count = 0
        with CaptureQueriesContext(connection) as seen:
            Client().post("/accounts/login/", {"login": name, "password": "wrong"})
        costs.append((len(seen), CountedHasher.count))
    assert costs[1] == costs[2] and costs[1][1] == 1


def test_an_account_that_is_switched_off_is_told_so_to_who_knows_the_password(db: None) -> None:
    person = make_person("ann")
    User.objects.filter(pk=person.pk).update(is_active=False)
    response = Client().post("/accounts/login/", {"login": "ANN", "password": PASSWORD})
    assert response["Location"] == "/accounts/inactive/"


@pytest.mark.slow
def test_a_password_in_an_older_hash_is_hashed_anew_at_the_log_in(db: None, settings: Any) -> None:
    boss = make_person("boss")
    settings.PASSWORD_HASHERS = HASHERS
    boss.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    boss.save()
    assert came_in("boss") == str(boss.pk)
    boss.refresh_from_db()
    assert boss.password.startswith("argon2")
