from __future__ import annotations

import logging
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from requests_app.models import ApiToken, FalRequest, Membership, Role, TokenScope
from tests.api.conftest import BASE, Caller


def test_every_refused_caller_gets_the_same_401(owner: Caller, teammate: Caller) -> None:
    ApiToken.objects.filter(user=teammate.user).update(revoked_at=timezone.now())
    values = [
        "",
        "Bearer",
        "Bearer ",
        "Bearer fdk_wrong",
        "Basic b2xpdmU6eA==",
        owner.text,
        f"Token {owner.text}",
        f"Bearer {owner.text} x",
        f"Bearer {teammate.text}",
        "Bearer \xe9\xff",
    ]
    answers = {_answer(value) for value in values}
    assert len(answers) == 1
    status, body, challenge = answers.pop()
    assert (status, challenge) == (401, "Bearer")
    assert body == b'{"detail": "A valid API token is needed."}'


def _answer(value: str) -> tuple[int, bytes, str]:
    response = Client().get(BASE, headers={"Authorization": value})
    return response.status_code, response.content, response["WWW-Authenticate"]


def test_the_scheme_is_read_in_any_case(owner: Caller) -> None:
    assert Client().get(BASE, headers={"Authorization": f"bearer {owner.text}"}).status_code == 200


def test_a_session_cookie_never_authenticates(owner: Caller) -> None:
    client = Client()
    client.force_login(owner.user)
    assert client.get(BASE).status_code == 401
    made = client.post(BASE, '{"endpoint_id":"a/b","input":{}}', content_type="application/json")
    assert made.status_code == 401
    assert not FalRequest.objects.exists()


@pytest.mark.parametrize("loss", ["membership", "account"])
def test_a_token_dies_with_its_owners_membership_or_account(owner: Caller, loss: str) -> None:
    if loss == "membership":
        Membership.objects.filter(user=owner.user).delete()
    else:
        owner.user.is_active = False
        owner.user.save()
    assert owner.get().status_code == 401


def test_a_token_acts_in_its_own_team_only(owner: Caller, stranger: Caller) -> None:
    """Also for somebody who belongs to both teams."""
    Membership.objects.create(team=stranger.team, user=owner.user, role=Role.OWNER)
    row = stranger.make()
    assert owner.get(f"{row.public_id}/").status_code == 404
    assert owner.get().json()["items"] == []
    made = owner.post(body={"endpoint_id": "acme/one", "input": {}}).json()
    assert made["team"] == owner.team.name


def test_a_viewer_looks_but_does_not_act(owner: Caller, teammate: Caller) -> None:
    row = owner.make()
    assert teammate.get(f"{row.public_id}/").json()["person"] == "olive"
    for path, body in [
        ("", {"endpoint_id": "acme/one", "input": {}}),
        ("", "not json"),
        (f"{row.public_id}/cancel/", None),
    ]:
        refused = teammate.post(path, body)
        assert refused.status_code == 403
        assert refused.json() == {"detail": "A viewer may look, not submit or cancel."}
    row.refresh_from_db()
    assert (row.status, FalRequest.objects.count()) == ("pending", 1)


def test_a_scope_bounds_what_a_token_does(owner: Caller) -> None:
    row = owner.make()
    preset = '{"name": "one", "endpoint_id": "acme/one", "input": {}}'
    calls = [
        ("get", f"{BASE}{row.public_id}/", None),
        ("post", f"{BASE}{row.public_id}/cancel/", None),
        ("post", "/api/v1/presets/", preset),
    ]
    seen = {}
    for scope in TokenScope:
        text = ApiToken.issue(owner.user, owner.team, scope=scope)
        client = Client(headers={"Authorization": f"Bearer {text}"})
        seen[scope] = [
            client.generic(verb, path, body or "", "application/json").status_code
            for verb, path, body in calls
        ]
    assert seen == {"read": [200, 403, 403], "submit": [200, 200, 403], "manage": [200, 200, 201]}


def test_foreign_unknown_and_impossible_ids_are_the_same_404(
    owner: Caller, stranger: Caller
) -> None:
    row = owner.make(output=b"{}", output_size=2)
    ids = [str(row.public_id), str(uuid4()), str(row.pk), "x", "%00", "None", "%F0%9F%98%80"]
    for action in ["/", "/output/", "/events/", "/cancel/"]:
        call = stranger.post if action == "/cancel/" else stranger.get
        answers = {_facts(call(f"{id}{action}")) for id in ids}
        assert len(answers) == 1
        assert next(iter(answers))[:2] == (404, b'{"detail": "Not found."}')
    row.refresh_from_db()
    assert row.cancel_asked_at is None


def _facts(response: Any) -> tuple[object, ...]:
    # New for each question, as is how often the token may still call.
    for name in ("X-Request-Id", "RateLimit-Remaining", "RateLimit-Reset"):
        del response[name]
    return response.status_code, response.content, tuple(response.items())


@override_settings(DEBUG=True)
def test_a_token_is_never_logged(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        Client().get(BASE, headers={"Authorization": "Digest fdk_canary"})
        Client().get(BASE, headers={"Authorization": "Bearer fdk_canary"})
    assert "fdk_canary" not in caplog.text


def test_its_use_is_noted(owner: Caller) -> None:
    assert ApiToken.objects.get(user=owner.user).last_used_at is None
    owner.get()
    used = ApiToken.objects.get(user=owner.user)
    assert used.last_used_at is not None and used.last_used_from == "127.0.0.1"
