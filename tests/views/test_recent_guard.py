"""With an old log-in, what outlasts a stolen session asks for the password first: every guarded route."""

from __future__ import annotations

import re
import time
from typing import Any

import pytest
from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY as RECORDS
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.test import Client, override_settings
from django.urls import reverse
from django.utils import timezone

from requests_app.accounts import recent
from requests_app.accounts.throttle import LIMITS
from requests_app.keys import keeping
from requests_app.models import (
    ApiToken,
    AuditAct,
    AuditEntry,
    FalKey,
    ForwardDestination,
    GuessCounter,
    Invitation,
    Membership,
    Role,
    Team,
)
from requests_app.views.recent_guard import GUARDED
from tests.browsers import Browser
from tests.builders import make_person
from tests.factors import post, turned_on
from tests.forwarding.scene import make_destination

PASSWORD, WRONG = "a long pass phrase", "not the pass phrase"
CANARY = "canary-id:canary-secret-wxyz"
SECRET = "canary-secret-wxyz"
TOKEN = {"name": "nightly", "scope": "read", "days": "30", "form_key": "a" * 32}
KEY = {"key_name": "production", "secret": CANARY, "pattern": ""}
DESTINATION = {"destination_name": "erp", "address": "https://erp.example/", "failed": "on"}
HIDDEN = re.compile(r'name="carried" value="([^"]*)"')
ASKS = "Confirm that it is you"

FORMS: dict[str, dict[str, str]] = {
    "make_token": TOKEN,
    "add_fal_key": KEY,
    "replace_fal_key": {"secret": CANARY},
    "add_destination": DESTINATION,
    "change_destination": DESTINATION,
    "rotate_destination": {},
    "invite": {"role": "member"},
    "add_member": {"username": "sam", "role": "member"},
    "make_reset_link": {},
    "change_role": {"role": "owner"},
    "transfer_team": {},
    "require_factors": {"required": "1"},
    "delete_team": {"name": "Acme"},
}


def make_old(client: Client, seconds: float = 86_400) -> Client:
    """A log-in of yesterday."""
    session = client.session
    session[RECORDS] = [{**one, "at": one["at"] - seconds} for one in session[RECORDS]]
    session.save()
    return client


@pytest.fixture
def old(as_owner: Client) -> Client:
    return make_old(as_owner)


def act(name: str, team: Team, teammate: User, owner: User) -> tuple[str, dict[str, str]]:
    """The address of a route, and what its form sends."""
    member = Membership.objects.get(team=team, user=teammate)
    form = dict(FORMS[name])
    if name == "delete_team":
        Team.objects.create(name="Spare")  # the only one stays
    if name == "require_factors":
        Authenticator.objects.create(user=owner, type=Authenticator.Type.WEBAUTHN, data={})
    if name == "transfer_team":
        form["member"] = str(member.pk)
    if name == "replace_fal_key":
        key = keeping.add(
            team, name="old", pattern="", secret="old:key", by=owner, now=timezone.now()
        )
        return reverse(f"requests:{name}", args=[key.pk]), form
    if name in ("change_destination", "rotate_destination"):
        return reverse(f"requests:{name}", args=[make_destination(team).pk]), form
    has_pk = name in ("make_reset_link", "change_role")
    return reverse(f"requests:{name}", args=[member.pk] if has_pk else []), form


def state() -> list[Any]:
    """All that guarded routes change."""
    return [
        *(
            sorted(map(str, one.objects.values_list()))
            for one in (ApiToken, FalKey, ForwardDestination, Invitation)
        ),
        sorted(Membership.objects.values_list("pk", "role")),
        sorted(map(str, Team.objects.values_list())),
    ]


def trail() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("act", flat=True))


def carried_in(page: Any) -> str:
    assert (page.status_code, ASKS in page.text) == (403, True), page.text
    found = HIDDEN.search(page.text)
    assert found
    return found[1]


def confirm(client: Client, path: str, carried: str, password: str = PASSWORD) -> Any:
    return client.post(path, {"carried": carried, "again-password": password})


@pytest.mark.parametrize("name", list(GUARDED))
def test_an_old_log_in_is_asked_and_then_the_very_form_goes_on(
    as_owner: Client, team: Team, teammate: User, owner: User, name: str
) -> None:
    path, form = act(name, team, teammate, owner)
    make_old(as_owner)
    before, acts = state(), trail()
    carried = carried_in(as_owner.post(path, form))
    assert state() == before
    assert set(trail()[len(acts) :]) <= {AuditAct.DENIED}  # the question; once a minute
    done = confirm(as_owner, path, carried)
    assert done.status_code in (201, 302), done.text
    assert state() != before or name == "make_reset_link"  # a link is signed, and stored nowhere
    assert set(trail()[len(acts) :]) - {AuditAct.DENIED}


@pytest.mark.parametrize("name", list(GUARDED))
def test_a_recent_log_in_is_asked_nothing(
    as_owner: Client, team: Team, teammate: User, owner: User, name: str
) -> None:
    path, form = act(name, team, teammate, owner)
    acts = trail()
    assert as_owner.post(path, form).status_code in (201, 302)
    assert trail()[len(acts) :] and AuditAct.DENIED not in trail()


def test_what_was_typed_is_in_the_page_but_not_to_be_read(old: Client, team: Team) -> None:
    asked = old.post(reverse("requests:add_fal_key"), KEY)
    assert SECRET not in asked.text and "production" not in asked.text
    assert SECRET not in str(dict(old.session.items()))
    done = confirm(old, reverse("requests:add_fal_key"), carried_in(asked))
    assert done.status_code == 302 and FalKey.objects.get().name == "production"
    # It was proved just now: the next one is not asked.
    assert old.post(reverse("requests:make_token"), TOKEN).status_code == 201


def test_wrong_passwords_are_counted_noted_and_change_nothing(old: Client, team: Team) -> None:
    path = reverse("requests:make_token")
    carried = carried_in(old.post(path, TOKEN))
    for _ in range(LIMITS["change"].guesses):
        refused = confirm(old, path, carried, WRONG)
        assert "Wrong password" in refused.text and WRONG not in refused.text
        carried = carried_in(refused)
    counter = GuessCounter.objects.get(kind="change")
    assert len(counter.guesses) == LIMITS["change"].guesses
    assert AuditEntry.objects.filter(act=AuditAct.LOGIN_REFUSED).count() == LIMITS["change"].guesses
    stopped = confirm(old, path, carried)  # also the right one
    assert stopped.status_code == 429 and int(stopped["Retry-After"]) > 0
    assert not ApiToken.objects.exists()


def test_a_form_is_carried_for_its_user_session_and_address_and_not_for_long(
    old: Client, team: Team, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = reverse("requests:make_token")
    carried = carried_in(old.post(path, TOKEN))
    second, admin = Browser(), Browser()
    second.force_login(owner)
    admin.force_login(make_person("ada", team=team, role=Role.ADMIN))
    late = time.time() + recent.CARRIED_FOR_S + 1
    for client, where, text in [
        (second, path, carried),
        (admin, path, carried),
        (old, reverse("requests:invite"), carried),
        (old, path, carried[:-8] + "AAAAAAA="),
        (old, path, ""),
        (old, path, "nonsense"),
    ]:
        refused = confirm(client, where, text)
        assert refused.status_code == 403 and "not kept any more" in refused.text
    monkeypatch.setattr(time, "time", lambda: late)
    refused = confirm(old, path, carried)
    assert refused.status_code == 403 and "not kept any more" in refused.text
    assert not ApiToken.objects.exists() and not Invitation.objects.exists()


def test_who_may_not_do_it_is_refused_without_a_question(as_viewer: Client, team: Team) -> None:
    refused = make_old(as_viewer).post(reverse("requests:invite"), {"role": "member"})
    assert refused.status_code == 403 and ASKS not in refused.text


def test_another_role_than_the_owners_is_given_without_a_question(
    old: Client, team: Team, teammate: User
) -> None:
    member = Membership.objects.get(team=team, user=teammate)
    path = reverse("requests:change_role", args=[member.pk])
    assert old.post(path, {"role": "viewer"}).status_code == 302
    Membership.objects.filter(pk=member.pk).update(role=Role.OWNER)
    carried_in(old.post(path, {"role": "viewer"}))


def test_a_session_without_a_record_is_not_recent_and_a_script_is_told(
    as_owner: Client, team: Team
) -> None:
    session = as_owner.session
    del session[RECORDS]
    session.save()
    told = as_owner.post(reverse("requests:make_token"), TOKEN, headers={"HX-Request": "true"})
    assert told.status_code == 403 and "Confirm that it is you" in told.json()["detail"]
    carried_in(as_owner.post(reverse("requests:make_token"), TOKEN))


def test_without_a_password_a_new_log_in_is_asked_for(
    as_owner: Client, owner: User, team: Team, settings: Any
) -> None:
    settings.OIDC_ISSUER, settings.OIDC_NAME = "https://idp.example.org", "Corp"
    settings.PASSWORD_LOGIN = False
    make_old(as_owner)
    asked = as_owner.post(reverse("requests:make_token"), TOKEN)
    assert asked.status_code == 403 and "Log in anew at Corp" in asked.text
    assert 'type="password"' not in asked.text
    # Nor does the right password count there.
    carried = recent_form(as_owner)
    assert confirm(as_owner, reverse("requests:make_token"), carried).status_code == 403
    assert not ApiToken.objects.exists()


def recent_form(client: Client) -> str:
    """What a page with passwords would carry."""
    with override_settings(PASSWORD_LOGIN=True):
        return carried_in(client.post(reverse("requests:make_token"), TOKEN))


def test_a_form_beyond_the_bound_is_not_carried(old: Client, team: Team) -> None:
    asked = old.post(reverse("requests:make_token"), {**TOKEN, "more": "x" * recent.MOST_CARRIED})
    assert asked.status_code == 403 and "too large to be kept" in asked.text
    assert HIDDEN.search(asked.text)[1] == ""  # type: ignore[index]


def test_a_factor_in_another_tab_confirms_it_too(as_owner: Client, team: Team) -> None:
    app = turned_on(as_owner)
    make_old(as_owner)
    path = reverse("requests:make_token")
    asked = as_owner.post(path, TOKEN)
    carried = carried_in(asked)
    assert "/accounts/factors/reauthenticate/?next=" in asked.text
    assert "It is not confirmed yet" in as_owner.post(path, {"carried": carried}).text
    post(as_owner, "reauthenticate/", {"code": app.code(1)})
    assert as_owner.post(path, {"carried": carried, "again-password": ""}).status_code == 201
