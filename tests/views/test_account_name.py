"""Users rename themselves: what is stored and noted, what is refused in words, and how often names may be tried."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from requests_app.accounts.throttle import LIMITS
from requests_app.models import Account, AuditAct, AuditEntry, Team
from tests.browsers import Browser
from tests.builders import make_person
from tests.views.test_recent_guard import make_old

PATH = "/accounts/name/"


def rename(client: Client, name: str) -> Any:
    return client.post(PATH, {"username": name})


def test_the_new_name_is_the_only_one_and_the_trail_tells_both(
    as_owner: Client, owner: User, team: Team
) -> None:
    assert 'value="olga"' in as_owner.get(PATH).text
    assert rename(as_owner, "Olga.Marin")["Location"] == "/accounts/"
    assert "Your name is Olga.Marin now." in as_owner.get("/accounts/").text
    assert Account.objects.find("olga") is None and Account.objects.find("olga.marin") == owner
    noted = AuditEntry.objects.get(act=AuditAct.ACCOUNT_RENAMED)
    assert (noted.chain, noted.actor, noted.details) == (
        team.pk, "Olga.Marin", '{"after":"Olga.Marin","before":"olga"}',
    )  # fmt: skip
    assert rename(as_owner, "Olga.Marin").status_code == 302  # nothing to change
    assert AuditEntry.objects.filter(act=AuditAct.ACCOUNT_RENAMED).count() == 1


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "This field is required"),
        ("TOM", "This name is taken"),
        ("with space", "Enter a valid username"),
        ("оlga", "Use one alphabet"),
        ("x" * 151, "at most 150"),
    ],
)
def test_a_name_that_cannot_be_is_refused_and_stays_in_the_form(
    as_owner: Client, teammate: User, name: str, words: str
) -> None:
    reply = rename(as_owner, name)
    assert reply.status_code == 422 and words in reply.text
    assert not name or f'value="{name}"' in reply.text
    assert User.objects.filter(username="olga").exists()


def test_few_names_are_told_to_be_taken(as_owner: Client, teammate: User) -> None:
    for _ in range(LIMITS["names"].guesses):
        assert "This name is taken" in rename(as_owner, "tom").text
    for name in ("tom", "free"):
        assert "Too many names were refused" in rename(as_owner, name).text
    assert not User.objects.filter(username="free").exists()


def test_an_old_log_in_is_asked_first_and_strangers_are_sent_to_log_in(as_owner: Client) -> None:
    make_old(as_owner)
    for reply in (as_owner.get(PATH), rename(as_owner, "other")):
        assert reply["Location"].startswith("/accounts/reauthenticate/")
    assert User.objects.filter(username="olga").exists()
    assert Client().get(PATH)["Location"].startswith("/accounts/login/")
    other = Browser()
    other.force_login(make_person("other"))
    assert 'value="other"' in other.get(PATH).text
