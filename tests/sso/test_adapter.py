"""Which account a log-in at the provider belongs to, and with which roles it comes in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.test import Client

from requests_app.models import AuditAct, AuditEntry, Membership, Role, Team
from tests.builders import make_person
from tests.sso.provider import Provider

Act = Callable[..., Any]
MAIL = {"email": "olga@corp.example", "email_verified": True}


def verify(user: User, address: str = "olga@corp.example", *, verified: bool = True) -> None:
    EmailAddress.objects.create(user=user, email=address, verified=verified, primary=True)


def user_of(client: Client) -> str:
    return User.objects.get(pk=client.session["_auth_user_id"]).username


def test_a_verified_address_links_where_that_is_configured(
    owner: User, provider: Provider, sign_on: Act, settings: Any
) -> None:
    verify(owner)
    provider.claims |= MAIL
    settings.OIDC_LINKS = True
    client = Client()
    sign_on(client)
    assert user_of(client) == "olga" and User.objects.count() == 1
    provider.claims = {"sub": "1"}  # known from now on, whatever its address
    sign_on(client)
    assert user_of(client) == "olga"


@pytest.mark.parametrize(
    ("links", "said", "is_verified_here"),
    [
        (False, MAIL, True),
        (True, {**MAIL, "email_verified": False}, True),
        (True, {**MAIL, "email_verified": "true"}, True),
        (True, {"email": MAIL["email"]}, True),
        (True, MAIL, False),
        (True, {"preferred_username": "olga"}, True),
    ],
)
def test_nothing_else_comes_into_an_account_that_is_there(
    links: bool,
    said: Any,
    is_verified_here: bool,
    owner: User,
    provider: Provider,
    sign_on: Act,
    settings: Any,
) -> None:
    verify(owner, verified=is_verified_here)
    settings.OIDC_LINKS = links
    provider.claims |= said
    client = Client()
    sign_on(client)
    assert user_of(client) != "olga"
    assert not SocialAccount.objects.filter(user=owner).exists()
    assert EmailAddress.objects.get(user=owner).verified is is_verified_here


def test_new_people_are_refused_where_that_is_configured(
    provider: Provider, sign_on: Act, settings: Any
) -> None:
    settings.OIDC_CREATES = False
    reply = sign_on()
    assert reply.status_code == 403 and "no account here" in reply.text
    assert not User.objects.exists()
    assert AuditEntry.objects.get().act == AuditAct.LOGIN_REFUSED


def test_an_account_that_is_switched_off_stays_out(
    team: Team, provider: Provider, sign_on: Act, settings: Any
) -> None:
    sign_on()
    User.objects.filter(username="nora").update(is_active=False)
    settings.OIDC_TEAMS = [("ml", team.name, "member")]
    provider.claims["groups"] = ["ml"]
    client = Client()
    sign_on(client)
    assert "_auth_user_id" not in client.session
    assert not Membership.objects.filter(user__username="nora").exists()


def roles(name: str = "nora") -> dict[str, str]:
    mine = Membership.objects.filter(user__username=name)
    return dict(mine.values_list("team__name", "role"))


def test_the_claim_decides_on_roles_at_each_log_in(
    team: Team, provider: Provider, sign_on: Act, settings: Any
) -> None:
    other, untouched = Team.objects.create(name="Other"), Team.objects.create(name="Own")
    settings.OIDC_TEAMS = [
        ("ml", team.name, "member"), ("ml-admins", team.name, "admin"), ("all", "Other", "viewer"),
        ("all", "No such team", "owner"),
    ]  # fmt: skip
    provider.claims["groups"] = ["ml", "ml-admins", "all", 7, None]
    sign_on()
    assert roles() == {team.name: "admin", "Other": "viewer"}
    Membership.objects.create(team=untouched, user=User.objects.get(username="nora"))
    provider.claims["groups"] = ["ml"]
    sign_on()
    assert roles() == {team.name: "member", "Own": "member"}
    provider.claims["groups"] = "ml-admins"  # one value without a list
    sign_on()
    assert roles() == {team.name: "admin", "Own": "member"}
    del provider.claims["groups"]
    sign_on()
    assert roles() == {"Own": "member"}
    acts = AuditEntry.objects.filter(chain=team.pk, label="nora").values_list("act", flat=True)
    assert [act for act in acts.order_by("pk") if act.startswith("team.")] == [
        "team.join", "team.role", "team.role", "team.remove",
    ]  # fmt: skip
    assert not other.memberships.exists()


def test_the_last_owner_stays_whatever_the_claim_says(
    team: Team, owner: User, provider: Provider, sign_on: Act, settings: Any
) -> None:
    verify(owner)
    settings.OIDC_LINKS, settings.OIDC_TEAMS = True, [("ml", team.name, "viewer")]
    provider.claims |= MAIL
    for groups in ([], ["ml"]):
        provider.claims["groups"] = groups
        sign_on()
        assert roles("olga") == {team.name: Role.OWNER}
    make_person("bea", team=team, role=Role.OWNER)
    sign_on()
    assert roles("olga") == {team.name: Role.VIEWER}


def test_no_one_sees_a_team_that_the_claim_does_not_name(
    team: Team, provider: Provider, sign_on: Act
) -> None:
    provider.claims["groups"] = [team.name]
    client = Client()
    sign_on(client)
    assert client.get("/requests/").status_code == 403
    assert team.name not in client.get("/requests/").text
