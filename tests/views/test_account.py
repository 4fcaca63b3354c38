"""allauth's pages in our frame: what they say, and that no others are there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.mail import get_connection, send_mail
from django.test import Client

from requests_app.models import Team
from tests.browsers import Browser
from tests.builders import make_person
from tests.factors import turned_on
from tests.source import text_of

PASSWORD = "a long pass phrase"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("login/", "Ask an owner or admin of your team for an invitation link"),
        ("password/reset/done/", "If an account has that address, a link is on its way"),
        ("password/reset/key/1-x/", "has been used, has expired, or is none"),
        ("password/reset/key/done/", "The password is set"),
        ("confirm-email/x/", "has been used, has expired, or is none"),
        ("inactive/", "This account is switched off"),
    ],
)
def test_pages_for_visitors_stand_in_the_frame(db: None, path: str, words: str) -> None:
    response = Client().get(f"/accounts/{path}")
    assert response.status_code == 200
    assert words in response.text
    assert "css/teams/account.css" in response.text
    assert "unsafe-inline" not in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("password/change/", "Current password"),
        ("logout/", "Requests in progress go on"),
        ("", "For logging in as"),
        ("name/", "You log in with it"),
    ],
)
def test_pages_for_members_stand_in_the_frame(as_owner: Client, path: str, words: str) -> None:
    response = as_owner.get(f"/accounts/{path}")
    assert response.status_code == 200
    assert words in response.text
    assert "css/teams/account.css" in response.text


def test_a_wrong_password_is_said_and_the_name_is_kept(owner: User) -> None:
    response = Client().post("/accounts/login/", {"login": "olga", "password": "wrong one"})
    assert response.status_code == 200
    assert 'role="alert"' in response.text
    assert 'value="olga"' in response.text
    assert "wrong one" not in response.text


def test_logging_in_leads_to_where_one_was_going(owner: User) -> None:
    form = {"login": "olga", "password": PASSWORD, "next": "/requests/?q=fox"}
    response = Client().post("/accounts/login/", form, follow=True)
    assert response.redirect_chain[-1][0] == "/requests/?q=fox"
    assert "signed in" not in response.text.lower()


@pytest.mark.parametrize(
    "path",
    [
        "signup/", "confirm-email/", "password/set/", "login/code/confirm/",
    ],
)  # fmt: skip
def test_what_is_not_offered_is_not_there(
    as_owner: Client, owner: User, capfd: pytest.CaptureFixture[str], path: str
) -> None:
    User.objects.update(email="olga@example.org")
    form = {"username": "eve", "email": "olga@example.org", "login": "olga"}
    for browser in (Client(), as_owner):
        assert browser.get(f"/accounts/{path}").status_code == 404
        form |= {"password1": PASSWORD, "password2": PASSWORD}
        assert browser.post(f"/accounts/{path}", form).status_code == 404
    assert User.objects.count() == 1
    told = capfd.readouterr()
    assert "Subject:" not in told.out + told.err


def test_whatever_sends_mail_prints_none(capfd: pytest.CaptureFixture[str]) -> None:
    backend = mail_backend()
    send_mail("Reset", "https://faldeck.example/reset/SECRET/", None, ["olga@example.org"],
              connection=get_connection(backend))  # fmt: skip
    assert "SECRET" not in "".join(capfd.readouterr())


def mail_backend() -> str:
    """The test runner puts another mail backend into the settings."""
    found = re.search(r'^EMAIL_BACKEND = "(.+?)"', text_of("dashboard/settings.py"), re.M)
    assert found
    return found[1]


def test_an_account_without_a_password_has_none_to_change(as_owner: Client, owner: User) -> None:
    owner.set_unusable_password()
    owner.save()
    browser = Client()
    browser.force_login(owner)
    assert browser.get("/accounts/password/change/").status_code == 403


def test_a_password_change_says_that_it_worked(as_owner: Client, owner: User) -> None:
    new = "another long pass phrase"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    response = as_owner.post("/accounts/password/change/", form, follow=True)
    assert "Password successfully changed" in response.text
    assert response.redirect_chain == [("/accounts/", 302)]
    owner.refresh_from_db()
    assert owner.check_password(new)


def test_a_refused_password_change_says_why_at_the_field(as_owner: Client) -> None:
    form = {"oldpassword": "no", "password1": "short", "password2": "short"}
    response = as_owner.post("/accounts/password/change/", form)
    assert response.status_code == 200
    assert 'id="id_oldpassword_error"' in response.text
    assert 'id="id_password1_error"' in response.text


def test_the_account_shows_all_that_it_has_and_the_way_to_each_part(
    as_owner: Client, owner: User, team: Team, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []
    page = as_owner.get("/accounts/").text
    for path in ("name/", "email/", "password/change/", "factors/"):
        assert f'href="/accounts/{path}"' in page, path
    for path in ("sessions/", "times/", f"?team={team.pk}"):
        assert f'href="/settings/{path}"' in page, path
    for words in ("Off: a stolen password", "This browser alone", "Press ? for the list", "Owner"):
        assert words.lower() in page.lower(), words
    turned_on(as_owner)
    Browser().force_login(owner)
    Team.objects.update(requires_factors=True)
    as_owner.post("/settings/keys/", {"off": "on", "next": "/accounts/"})
    as_owner.post("/settings/blur/", {"on": "1", "next": "/accounts/"})
    page = " ".join(as_owner.get("/accounts/").text.split())
    assert "On: authenticator app, 10 recovery codes left. Required by Acme" in page
    for words in ("2 browsers are logged in", "Off: only keys with Ctrl", "show when pointed at"):
        assert words in page, words


def test_an_account_without_a_team_or_password_has_a_whole_page_too(db: None) -> None:
    user = make_person("alone")
    user.set_unusable_password()
    user.save()
    client = Browser()
    client.force_login(user)
    page = " ".join(client.get("/accounts/").text.split())
    assert (
        "None: you log in elsewhere" in page and "an owner or admin of a team invites you" in page
    )
    assert "/accounts/password/change/" not in page
