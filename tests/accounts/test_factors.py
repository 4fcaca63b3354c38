"""Second factors over HTTP: turned on, asked for, guessed at, lost."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from requests_app.models import AuditAct, AuditEntry
from tests.factors import PATH, App, turned_on

PASSWORD = "a long pass phrase"
MOST, OF_NETWORK = 20, 30


@pytest.fixture(autouse=True)
def _secrets(tmp_path: Path, settings: Any) -> None:
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []


@pytest.fixture
def app(as_owner: Client) -> App:
    return turned_on(as_owner)


def half_in(network: str = "192.0.2.1") -> Client:
    """A browser whose user has given the password."""
    browser = Client(REMOTE_ADDR=network)
    form = {"login": "olga", "password": PASSWORD, "next": "/settings/"}
    answer = browser.post("/accounts/login/", form)
    assert answer["Location"].startswith(f"{PATH}/authenticate/")
    return browser


def give(browser: Client, code: str) -> Any:
    return browser.post(f"{PATH}/authenticate/", {"code": code})


def is_in(browser: Client) -> bool:
    return bool(browser.get("/accounts/").status_code == 200)


def test_a_log_in_begins_anew_when_its_factor_was_removed_meanwhile(app: App) -> None:
    browser = half_in()
    Authenticator.objects.filter(user__username="olga").delete()
    page = browser.get(f"{PATH}/authenticate/", follow=True)
    assert page.redirect_chain == [("/accounts/login/", 302)] and page.status_code == 200
    assert "was removed meanwhile" in page.text and not is_in(browser)
    browser.post("/accounts/login/", {"login": "olga", "password": PASSWORD})
    assert is_in(browser)


def test_the_password_alone_lets_no_one_in(app: App) -> None:
    browser = half_in()
    assert not is_in(browser)
    assert "Second factor" in browser.get(f"{PATH}/authenticate/").text
    refused = give(browser, "000000")
    assert "Incorrect code" in refused.text and not is_in(browser)
    answer = give(browser, app.code(1))
    assert answer["Location"] == "/settings/" and is_in(browser)
    again = half_in()
    assert "Incorrect code" in give(again, app.code(1)).text  # a code counts once


def test_a_recovery_code_lets_in_once(app: App) -> None:
    browser = half_in()
    give(browser, app.recovery[0])
    assert is_in(browser)
    assert "9 unused" in browser.get(f"{PATH}/").text
    again = half_in()
    give(again, app.recovery[0])
    assert not is_in(again)


@pytest.mark.slow
def test_codes_are_guessed_a_few_times_alone_and_the_known_browser_is_not_shut_out(
    app: App,
) -> None:
    home = half_in()
    give(home, app.code(1))
    home.post("/accounts/logout/")
    for number in range(MOST):
        give(half_in(f"198.51.{number}.1"), "000000")
    stopped = give(half_in("203.0.113.9"), app.recovery[0])
    assert "Too many wrong codes." in stopped.text
    form = {"login": "olga", "password": PASSWORD}
    home.post("/accounts/login/", form)
    give(home, app.recovery[1])
    assert is_in(home)


def test_secrets_are_encrypted_and_outlive_a_rotation(app: App, settings: Any) -> None:
    kept = str(list(Authenticator.objects.values_list("data", flat=True)))
    assert app.secret not in kept and app.recovery[0] not in kept
    call_command("rotate_encryption_key", stdout=StringIO())
    assert str(list(Authenticator.objects.values_list("data", flat=True))) != kept
    browser = half_in()
    give(browser, app.code(1))
    assert is_in(browser)


def test_turning_the_last_factor_off_ends_the_codes_too(as_owner: Client, app: App) -> None:
    as_owner.post(f"{PATH}/totp/deactivate/")
    assert not Authenticator.objects.exists()
    browser = Client()
    browser.post("/accounts/login/", {"login": "olga", "password": PASSWORD})
    assert is_in(browser)
    acts = list(AuditEntry.objects.values_list("act", flat=True))
    assert AuditAct.FACTOR_ADDED in acts and AuditAct.FACTOR_REMOVED in acts


@pytest.mark.parametrize(
    "path",
    ["", "totp/activate/", "recovery-codes/", "recovery-codes/generate/", "webauthn/", "webauthn/add/"],
)  # fmt: skip
def test_pages_are_ours_and_the_users_alone(
    as_owner: Client, app: App, owner: User, path: str
) -> None:
    page = as_owner.get(f"{PATH}/{path}", follow=True)
    assert page.status_code == 200 and "css/teams/account.css" in page.text
    assert "unsafe-inline" not in page["Content-Security-Policy"]
    assert "mfa/js/" not in page.text  # allauth's scripts
    assert Client().get(f"{PATH}/{path}").status_code == 302


def test_anothers_passkey_is_not_there(as_stranger: Client, owner: User) -> None:
    one = Authenticator.objects.create(user=owner, type="webauthn", data={"name": "hers"})
    for act in ("remove", "edit"):
        assert (
            as_stranger.post(f"{PATH}/webauthn/keys/{one.pk}/{act}/", {"name": "x"}).status_code
            == 404
        )
    assert Authenticator.objects.filter(pk=one.pk, data__name="hers").exists()


@pytest.mark.parametrize("credential", ["", "no json", "{}", "[]", '{"id": 1}', '"x"', "1"])
def test_a_bad_passkey_is_refused_in_words(as_owner: Client, credential: str) -> None:
    form = {"name": "x", "credential": credential}
    as_owner.get(f"{PATH}/webauthn/add/")
    assert as_owner.post(f"{PATH}/webauthn/add/", form).status_code == 200
    as_visitor = Client()
    as_visitor.get(f"{PATH}/webauthn/login/", headers={"Accept": "application/json"})
    assert as_visitor.post(f"{PATH}/webauthn/login/", form).status_code == 302
    assert not Authenticator.objects.exists()
