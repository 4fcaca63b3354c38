"""API tokens on the settings page."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from requests_app.models import ApiToken, Role, TokenScope
from requests_app.teams import tokens
from tests.browsers import Browser
from tests.builders import make_person

PAGE = "/settings/"
TYPED = {"name": "nightly run", "scope": "submit", "days": "30", "form_key": "a" * 32}
TEXT = re.compile(r"<code>(fdk_[\w-]{20,})</code>")


def as_role(team: Any, role: str) -> Client:
    client = Browser()
    client.force_login(make_person(f"the-{role}", team=team, role=role))
    return client


def make(client: Client, **typed: str) -> Any:
    return client.post(reverse("requests:make_token"), {**TYPED, **typed})


@pytest.mark.parametrize("role", Role.values)
def test_each_member_makes_a_token_sees_it_once_and_revokes_it(team, owner, role):
    client = as_role(team, role)
    made = make(client)
    text = TEXT.search(made.text)
    assert made.status_code == 201 and text
    token = ApiToken.find(text[1], now=timezone.now())
    assert token and (token.user.username, token.name, token.scope) == (
        f"the-{role}", "nightly run", "submit",
    )  # fmt: skip
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    again = make(client)  # the page is reloaded
    assert again.status_code == 302 and ApiToken.objects.count() == 1
    later = client.get(PAGE).text
    assert "was made already" in unescape(later)
    assert text[1] not in later and f"fdk_…{text[1][-4:]}" in later
    client.post(reverse("requests:revoke_token", args=[token.pk]))
    assert ApiToken.find(text[1], now=timezone.now()) is None


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 61}, "at most 60"),
        ({"scope": "root"}, "Select a valid choice"),
        ({"name": "раypal", "owner": "service"}, "mixes"),
    ],
)
def test_a_token_that_cannot_be_made_says_why_and_keeps_what_was_typed(as_owner, typed, sentence):
    refused = make(as_owner, **typed)
    assert refused.status_code == 422 and sentence in unescape(refused.text)
    assert f'value="{typed.get("name", TYPED["name"])}"' in refused.text or typed.get("name") == ""
    assert not ApiToken.objects.exists()


def test_values_that_the_form_never_sends_are_refused(as_owner):
    for typed in ({"days": "1000000"}, {"form_key": "x"}, {"owner": "world"}, {"name": "a\0b"}):
        assert make(as_owner, **typed).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_service_token_is_the_teams_and_its_account_is_no_member_of_the_page(as_owner, team):
    made = make(as_owner, owner="service")
    text = TEXT.search(made.text)
    assert text and "Service tokens of the team" in made.text
    account = team.memberships.get(is_service=True)
    assert f"#{team.pk}" not in made.text
    for name in ("remove_member", "change_role"):
        path = reverse(f"requests:{name}", args=[account.pk])
        assert as_owner.post(path, {"role": "owner"}).status_code == 404
    client = as_role(team, Role.MEMBER)
    assert "nightly run" not in client.get(PAGE).text
    assert make(client, owner="service", form_key="b" * 32).status_code == 422
    pk = ApiToken.objects.get().pk
    assert client.post(reverse("requests:revoke_token", args=[pk])).status_code == 404
    assert ApiToken.find(text[1], now=timezone.now()) is not None


def test_who_manages_sees_the_tokens_of_members_and_others_do_not(as_owner, team, teammate):
    new = tokens.NewToken("toms script", TokenScope.READ)
    tokens.issue(team.memberships.get(user=teammate), new)
    assert "toms script" in as_owner.get(PAGE).text
    assert "toms script" not in as_role(team, Role.VIEWER).get(PAGE).text
    path = reverse("requests:revoke_token", args=[ApiToken.objects.get().pk])
    assert as_role(team, Role.MEMBER).post(path).status_code == 404
    assert ApiToken.objects.get().revoked_at is None
    assert "is revoked" in as_owner.post(path, follow=True).text
    assert ApiToken.objects.get().revoked_at is not None


def test_who_removes_a_maker_is_told_of_the_service_tokens(as_owner, team):
    maker = as_role(team, Role.ADMIN)
    make(maker, owner="service")
    out = team.memberships.get(user__username="the-admin")
    said = as_owner.post(reverse("requests:remove_member", args=[out.pk]), follow=True)
    assert "1 service token that they made still works" in said.text


def test_a_stranger_revokes_nothing(as_stranger, team, owner):
    ApiToken.issue(owner, team)
    path = reverse("requests:revoke_token", args=[ApiToken.objects.get().pk])
    assert as_stranger.post(path).status_code == 404
    assert ApiToken.objects.get().revoked_at is None


def test_a_week_before_its_end_a_token_is_warned_of(as_owner):
    make(as_owner)
    for days, is_warned in ((8, False), (6, True), (-1, False)):
        ApiToken.objects.update(expires_at=timezone.now() + timedelta(days=days))
        assert ("create another one" in as_owner.get(PAGE).text) == is_warned
