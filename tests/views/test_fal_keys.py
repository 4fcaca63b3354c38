"""fal keys on the settings page: owners and admins give them, and no reply shows one again."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from requests_app.keys import key_for
from requests_app.models import FalKey, Role
from requests_app.sandbox import SandboxServer
from tests.browsers import Browser
from tests.builders import make_person, make_queued

PAGE = "/settings/"
CANARY = "canary-id:canary-secret-wxyz"
TYPED = {"key_name": "production", "secret": CANARY, "pattern": ""}


def as_role(team: Any, role: str) -> Client:
    client = Browser()
    client.force_login(make_person(f"the-{role}", team=team, role=role))
    return client


def add(client: Client, **typed: str) -> Any:
    return client.post(reverse("requests:add_fal_key"), {**TYPED, **typed})


def test_a_key_is_given_and_never_shown_again(as_owner, team):
    added = as_owner.post(reverse("requests:add_fal_key"), TYPED, follow=True)
    assert "The key is kept" in added.text and "production" in added.text
    assert "…wxyz" in added.text and "canary" not in added.text
    assert key_for(team.pk).secret == CANARY
    assert "canary" not in str(FalKey.objects.values())


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"secret": "canary-without-colon"}, "the form id:secret"),
        ({"secret": "canary id:two words"}, "the form id:secret"),
        ({"secret": ""}, "This field is required"),
        ({"secret": "canary:" + "x" * 600}, "at most 500"),
        ({"key_name": ""}, "This field is required"),
        ({"pattern": "https://evil.example/*"}, "Write an endpoint id"),
    ],
)
def test_what_is_no_key_is_refused_in_words_and_not_repeated(as_owner, typed, sentence):
    refused = add(as_owner, **typed)
    assert refused.status_code == 422 and sentence in unescape(refused.text)
    assert "canary" not in refused.text
    assert not FalKey.objects.exists()


def test_a_second_key_for_the_same_endpoints_is_refused(as_owner):
    add(as_owner)
    refused = add(as_owner, key_name="other")
    assert refused.status_code == 422 and "replace it" in refused.text
    assert add(as_owner, key_name="other", pattern="acme/*").status_code == 302


@pytest.mark.parametrize("role", [Role.MEMBER, Role.VIEWER])
def test_members_neither_see_nor_touch_keys(as_owner, team, role):
    add(as_owner)
    client, pk = as_role(team, role), FalKey.objects.get().pk
    assert "wxyz" not in client.get(PAGE).text
    for name in ("replace_fal_key", "remove_fal_key", "test_fal_key"):
        path = reverse(f"requests:{name}", args=[pk])
        assert client.post(path, {"secret": "a:b"}).status_code == 403
    assert add(client, pattern="acme/*").status_code == 403
    assert key_for(team.pk).secret == CANARY


def test_a_key_of_another_team_is_not_there(as_owner, as_stranger, team):
    add(as_owner)
    pk = FalKey.objects.get().pk
    for name in ("replace_fal_key", "remove_fal_key", "test_fal_key"):
        path = reverse(f"requests:{name}", args=[pk])
        assert as_stranger.post(path, {"secret": "a:b"}).status_code == 404
    assert key_for(team.pk).secret == CANARY
    assert "wxyz" not in as_stranger.get(PAGE).text


def test_a_removed_key_stays_in_sight_while_requests_need_it(as_owner, team, owner):
    add(as_owner)
    key = FalKey.objects.get()
    row = make_queued(team=team, person=owner)
    assert row.fal_key_id == key.pk
    path = reverse("requests:remove_fal_key", args=[key.pk])
    assert "The key is removed" in as_owner.post(path, follow=True).text
    shown = as_owner.get(PAGE).text
    assert "1 open request sent with it" in shown and "removed" in shown
    add(as_owner, key_name="next", secret="next:secret-abcd")
    path = reverse("requests:replace_fal_key", args=[key.pk])
    assert "The key is replaced" in as_owner.post(path, {"secret": CANARY}, follow=True).text
    assert "for requests already sent with it" in as_owner.get(PAGE).text
    assert key_for(team.pk).secret == "next:secret-abcd"
    for bad in ("", "no-colon"):
        told = as_owner.post(path, {"secret": bad}, follow=True).text
        assert "thing has changed" in told


@pytest.fixture
def fal(settings) -> Iterator[SandboxServer]:
    with SandboxServer(keys=frozenset({CANARY})) as server:
        settings.FAL_QUEUE_URL, settings.FAL_API_URL = f"{server.url}/queue", f"{server.url}/api"
        yield server


def test_a_test_says_what_fal_allows(as_owner, fal):
    add(as_owner)
    path = reverse("requests:test_fal_key", args=[FalKey.objects.get().pk])
    fine = unescape(as_owner.post(path).text)
    for what in ("Submit and follow requests", "fal's list", "Read prices"):
        assert what in fine
    assert "fal says" not in fine and "canary" not in fine
    assert FalKey.objects.get().last_used_at and not FalKey.objects.get().last_error


def test_a_test_of_a_wrong_key_says_so_in_fals_words(as_owner, fal):
    add(as_owner, secret="canary-wrong:key")
    path = reverse("requests:test_fal_key", args=[FalKey.objects.get().pk])
    told = unescape(as_owner.post(path).text)
    assert "fal does not know this key (401). fal says: " in told
    assert "canary" not in told
    assert "401" in FalKey.objects.get().last_error


def test_a_fal_that_is_away_is_told(as_owner, settings):
    settings.FAL_QUEUE_URL = settings.FAL_API_URL = "http://127.0.0.1:9"
    add(as_owner)
    told = as_owner.post(reverse("requests:test_fal_key", args=[FalKey.objects.get().pk]))
    assert told.status_code == 200 and "fal could not be reached" in told.text.replace("’", "'")
