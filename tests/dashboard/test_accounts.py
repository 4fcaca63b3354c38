"""allauth's pages in our frame: what they say, and that nobody signs up."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

PASSWORD = "a long pass phrase"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("login/", "Accounts are made by invitation"),
        ("signup/", "Accounts are made by invitation"),
        ("password/reset/", "This installation sends no mail"),
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
        ("password/change/", "Current Password"),
        ("logout/", "Requests that are under way go on without you"),
        ("email/", "accounts need no address"),
        ("reauthenticate/", "Confirm Access"),
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


def test_nobody_signs_up(db: None) -> None:
    form = {"username": "eve", "password1": PASSWORD, "password2": PASSWORD}
    Client().post("/accounts/signup/", form)
    assert not User.objects.filter(username="eve").exists()


def test_a_password_change_says_that_it_worked(as_owner: Client, owner: User) -> None:
    new = "another long pass phrase"
    form = {"oldpassword": PASSWORD, "password1": new, "password2": new}
    response = as_owner.post("/accounts/password/change/", form, follow=True)
    assert "Password successfully changed" in response.text
    owner.refresh_from_db()
    assert owner.check_password(new)


def test_a_refused_password_change_says_why_at_the_field(as_owner: Client) -> None:
    form = {"oldpassword": "no", "password1": "short", "password2": "short"}
    response = as_owner.post("/accounts/password/change/", form)
    assert response.status_code == 200
    assert 'id="id_oldpassword_error"' in response.text
    assert 'id="id_password1_error"' in response.text
