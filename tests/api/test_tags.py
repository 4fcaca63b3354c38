"""Tags and stars over the API."""

from __future__ import annotations

import pytest
from django.test import Client

from requests_app.models import FalRequest
from tests.api.conftest import Caller

BODY = {"endpoint_id": "acme/one", "input": {}}


def test_tags_are_given_with_a_submit_changed_and_searched(owner: Caller) -> None:
    made = owner.post(
        body=BODY | {"own_tags": ["Draft", "hero"], "tags": {"project": "demo"}}
    ).json()
    assert sorted(made["own_tags"]) == ["draft", "hero"]
    assert made["options"]["tags"] == "project=demo"
    path = f"{made['id']}/tags/"
    changed = owner.post(path, {"add": ["v 2"], "remove": ["HERO", "none"]}).json()
    assert sorted(changed["own_tags"]) == ["draft", "v-2"]
    assert owner.post(path, {}).json()["own_tags"] == changed["own_tags"]
    for text, count in (("tag:v-2", 1), ("tag:project=demo", 1), ("tag:hero", 0)):
        assert len(owner.get(f"?q={text}").json()["items"]) == count
    assert FalRequest.objects.get().observations.filter(kind="tagged").count() == 2


def test_a_star_is_the_tokens_users(owner: Caller, teammate: Caller) -> None:
    row = owner.make()
    path = f"/api/v1/requests/{row.public_id}/star/"
    assert Client().put(path, headers=owner.headers).json()["starred"] is True
    assert teammate.get(f"{row.public_id}/").json()["starred"] is False
    assert owner.get("?q=starred:yes").json()["items"][0]["starred"] is True
    assert teammate.get("?q=starred:yes").json()["items"] == []
    assert Client().delete(path, headers=owner.headers).json()["starred"] is False
    assert Client().put(path, headers=teammate.headers).status_code == 403


@pytest.mark.parametrize(
    "body", [{"add": ["a*"]}, {"add": ["x"] * 21}, {"add": "x"}, {"drop": []}, {"add": [1]}]
)
def test_what_is_no_tag_is_refused_at_its_field(owner: Caller, body: dict[str, object]) -> None:
    row = owner.make()
    reply = owner.post(f"{row.public_id}/tags/", body)
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"][:2] == ["body", next(iter(body))]
    assert owner.post(body=BODY | {"own_tags": ["a*"]}).json()["detail"][0]["loc"] == ["body", "own_tags"]  # fmt: skip


def test_viewers_change_no_tag_and_strangers_find_none(
    owner: Caller, teammate: Caller, stranger: Caller
) -> None:
    row = owner.make()
    assert teammate.post(f"{row.public_id}/tags/", {"add": ["a"]}).status_code == 403
    assert stranger.post(f"{row.public_id}/tags/", {"add": ["a"]}).status_code == 404


def test_an_idempotency_key_stands_for_the_tags_as_well(owner: Caller) -> None:
    key = {"Idempotency-Key": "once"}
    first = owner.post(body=BODY, **key)
    assert owner.post(body=BODY | {"own_tags": []}, **key).json()["id"] == first.json()["id"]
    assert owner.post(body=BODY | {"own_tags": ["a"]}, **key).status_code == 422
