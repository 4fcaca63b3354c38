"""Single sign-on over the wire: what a provider says lets a user in, and each lie is refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import AuditAct, AuditEntry, Membership, Session, Team
from tests.factors import PATH, turned_on
from tests.sso.conftest import BEGIN
from tests.sso.provider import Provider, key

Act = Callable[..., Any]


def is_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_user_comes_in_and_is_the_same_one_the_next_time(
    provider: Provider, sign_on: Act
) -> None:
    provider.claims |= {"email": "Nora@Corp.example", "email_verified": True}
    first = Client(headers={"User-Agent": "Firefox/140.0 Linux"})
    reply = sign_on(first, "?next=/settings/sessions/")
    assert (reply.status_code, reply["Location"]) == (302, "/settings/sessions/")
    user = User.objects.get()
    assert (user.username, user.has_usable_password()) == ("nora", False)
    assert [one.email for one in user.emailaddress_set.all()] == ["nora@corp.example"]
    assert SocialAccount.objects.get().extra_data == {}
    assert Session.objects.get(user=user).address == "127.0.0.1"
    provider.claims["preferred_username"] = "nora.married"
    sign_on()
    assert User.objects.get().username == "nora"
    made = AuditEntry.objects.get(act=AuditAct.ACCOUNT_MADE)
    assert (made.chain, made.actor, made.details) == (0, "nora", '{"how":"single sign-on"}')
    told = AuditEntry.objects.filter(act=AuditAct.LOGGED_IN).values_list("actor", flat=True)
    assert list(told) == ["nora", "nora"]


def test_what_the_provider_says_beside_the_token_counts_for_the_same_subject_alone(
    provider: Provider, sign_on: Act
) -> None:
    provider.claims = {"sub": "1"}
    provider.about = {"sub": "1", "preferred_username": "tess"}
    sign_on()
    assert User.objects.get().username == "tess"
    provider.about["sub"] = "2"
    assert sign_on().status_code == 403


def _by_another_key(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(
        claims, key("other"), algorithm="RS256", headers={"kid": "ours"}
    )


def _by_an_unknown_key(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(
        claims, key("other"), algorithm="RS256", headers={"kid": "other"}
    )


def _by_no_key(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(
        claims, None, algorithm="none", headers={"kid": "ours"}
    )


def _by_the_secret(provider: Provider) -> None:
    provider.sign = lambda claims: jwt.encode(
        claims, "a client's secret" * 3, algorithm="HS256", headers={"kid": "ours"}
    )


def _no_token(provider: Provider) -> None:
    provider.sign = lambda claims: "no.token"


def _with(**said: Any) -> Callable[[Provider], None]:
    def lie(provider: Provider) -> None:
        provider.change = lambda claims: claims.update(said)

    return lie


def _without(name: str) -> Callable[[Provider], None]:
    def lie(provider: Provider) -> None:
        provider.change = lambda claims: claims.pop(name)

    return lie


LIES = {
    "another key": _by_another_key,
    "an unknown key": _by_an_unknown_key,
    "no signature": _by_no_key,
    "a shared secret": _by_the_secret,
    "no token": _no_token,
    "another audience": _with(aud="other"),
    "several audiences": _with(aud=["faldeck", "other"]),
    "another party": _with(azp="other"),
    "expired": _with(exp=time.time() - 3600),
    "from the future": _with(nbf=time.time() + 3600),
    "another issuer": _with(iss="https://evil.example"),
    "another nonce": _with(nonce="x"),
    "no nonce": _without("nonce"),
    "no end": _without("exp"),
    "no subject": _without("sub"),
    "a number as subject": _with(sub=7),
    "a long subject": _with(sub="x" * 192),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_token_that_does_not_hold_lets_no_one_in(
    lie: Callable[[Provider], None], provider: Provider, sign_on: Act
) -> None:
    lie(provider)
    client = Client()
    reply = sign_on(client)
    assert reply.status_code == 403 and "did not succeed" in reply.text
    assert not is_in(client) and not User.objects.exists()
    assert AuditEntry.objects.get().act == AuditAct.LOGIN_REFUSED


def test_an_answer_counts_once_and_in_its_own_browser(provider: Provider, sign_on: Act) -> None:
    client = Client()
    back = provider.authorize(client.get(BEGIN)["Location"])
    stranger = Client()
    assert stranger.get(back).status_code == 403 and not is_in(stranger)
    assert client.get(back).status_code == 302 and is_in(client)
    again = Client()
    again.cookies = client.cookies
    assert again.get(back).status_code == 403
    for odd in ("", "?code=x", "?state=x", "?code=x&state=x", "?error=access_denied"):
        assert Client().get(f"{BEGIN}callback/{odd}").status_code == 403


def test_who_cancels_comes_back_to_the_log_in(provider: Provider) -> None:
    client = Client()
    state = provider.authorize(client.get(BEGIN)["Location"]).partition("state=")[2]
    reply = client.get(f"{BEGIN}callback/?error=access_denied&state={state}", follow=True)
    assert reply.redirect_chain == [("/accounts/login/", 302)]
    assert "The log-in was cancelled." in reply.text


def test_a_provider_that_is_away_or_another_one_is_said_in_words(provider: Provider) -> None:
    provider.issuer = "https://evil.example"
    assert Client().get(BEGIN).status_code == 502
    provider.issuer = ""
    client = Client()
    back = provider.authorize(client.get(BEGIN)["Location"])
    provider.is_away = True
    for reply in (Client().get(BEGIN), client.get(back)):
        assert reply.status_code in (403, 502) and "Back to the log-in" in reply.text
    assert not is_in(client)


def test_another_site_cannot_begin_it_nor_choose_where_it_ends(
    provider: Provider, sign_on: Act
) -> None:
    reply = Client().get(BEGIN, headers={"Sec-Fetch-Site": "cross-site"})
    assert (reply.status_code, reply["Location"]) == (302, "/accounts/login/")
    for bad in ("https://evil.example/", "//evil.example/", "javascript:alert(1)"):
        assert sign_on(query=f"?next={bad}")["Location"] == "/requests/"
    asked = Client().get(f"{BEGIN}?auth_params=prompt%3Dnone&scope=evil")["Location"]
    assert "evil" not in asked and "prompt" not in asked


def test_without_a_provider_there_is_nothing(db: None) -> None:
    for path in (BEGIN, f"{BEGIN}callback/", "/accounts/oidc/other/login/"):
        assert Client().get(path).status_code == 404
    assert "Log in with" not in Client().get("/accounts/login/").text


def test_the_log_in_page_offers_it_and_keeps_the_way(provider: Provider, settings: Any) -> None:
    page = Client().get("/accounts/login/?next=/overview/").text
    assert f"{BEGIN}?next=/overview/" in page and "Log in with Corp" in page
    assert 'name="password"' in page
    settings.PASSWORD_LOGIN = False
    page = Client().get("/accounts/login/").text
    assert "Log in with Corp" in page
    assert 'name="password"' not in page and "Forgot" not in page


def test_without_passwords_none_lets_anyone_in(
    owner: User, provider: Provider, settings: Any
) -> None:
    owner.set_password("a long pass phrase")
    owner.save()
    form = {"login": "olga", "password": "a long pass phrase"}
    assert Client().post("/accounts/login/", form).status_code == 302
    settings.PASSWORD_LOGIN = False
    client = Client()
    assert client.post("/accounts/login/", form).status_code == 200
    assert not is_in(client)


def test_who_is_in_already_proves_it_anew_at_the_provider(provider: Provider, sign_on: Act) -> None:
    client = Client()
    assert "prompt" not in client.get(BEGIN)["Location"]
    sign_on(client)
    team = Team.objects.create(name="Acme")
    Membership.objects.create(team=team, user=User.objects.get())
    session = client.session
    session[RECORDS] = [{**one, "at": one["at"] - 86_400} for one in session[RECORDS]]
    session.save()
    token = {"name": "nightly", "scope": "read", "days": "30", "form_key": "a" * 32}
    token["made_for"] = str(team.pk)
    asked = client.post("/settings/tokens/", token)
    assert asked.status_code == 403 and "Log in anew at Corp" in asked.text
    asked = client.get(BEGIN)["Location"]
    assert "prompt=login" in asked and "max_age=0" in asked
    # A provider that lets an old log-in pass, or does not say when it was, proves nothing.
    for said in (time.time() - 3600, str(time.time()), True, None):
        provider.claims["auth_time"] = said
        assert sign_on(client).status_code == 403
        assert is_in(client) and client.post("/settings/tokens/", token).status_code == 403
    del provider.claims["auth_time"]
    sign_on(client)
    assert client.post("/settings/tokens/", token).status_code == 201


def test_an_account_with_a_second_factor_is_asked_for_it_after_the_provider(
    provider: Provider, sign_on: Act, settings: Any, tmp_path: Path
) -> None:
    settings.DATA_DIR, settings.ENCRYPTION_KEYS = tmp_path, []
    first = Client()
    sign_on(first)
    app = turned_on(first)
    for client in (Client(), first):  # anew, and to prove it anew
        answer = sign_on(client)
        assert answer["Location"].startswith(f"{PATH}/authenticate/")
        assert not is_in(client) and client.get("/requests/").status_code == 302
        assert client.post(f"{PATH}/authenticate/", {"code": "000000"}).status_code == 200
        assert not is_in(client)
        code = app.recovery.pop()
        assert client.post(f"{PATH}/authenticate/", {"code": code}).status_code == 302
        assert is_in(client)
