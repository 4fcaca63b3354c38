"""Presets over the API: exact inputs, versions, roles, and the walls between teams."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from requests_app.catalogue import store
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Preset
from tests.api.conftest import Caller
from tests.catalogue.conftest import DocumentServer, server
from tests.catalogue.documents import whole

__all__ = ["server"]

BASE = "/api/v1/presets/"
TEXT = '{"prompt": "a {{subject}}", "seed": "{{seed}}", "scale": 7.50}'
BODY = f'{{"name": "dusk", "endpoint_id": "acme/img", "priority": "low", "input": {TEXT}}}'


def call(caller: Caller, method: str, path: str = "", body: Any = None) -> Any:
    data = body if isinstance(body, str) else json.dumps(body)
    given = {} if body is None else {"data": data, "content_type": "application/json"}
    return getattr(Client(), method)(BASE + path, headers=caller.headers, **given)


def test_a_preset_is_saved_read_and_listed_exactly(owner: Caller, teammate: Caller) -> None:
    made = call(owner, "post", body=BODY)
    assert made.status_code == 201, made.content
    shown = made.json()
    assert (shown["name"], shown["version"], shown["saved_by"]) == ("dusk", 1, "olive")
    assert (shown["variables"], shown["options"]) == (["subject", "seed"], {"priority": "low"})
    for caller in (owner, teammate):
        assert f'"input": {TEXT}' in call(caller, "get", f"{shown['id']}/").content.decode()
        [one] = call(caller, "get").json()["items"]
        assert (one["id"], "input" in one) == (shown["id"], False)
        assert call(caller, "get", "?endpoint_id=acme/other").json()["items"] == []


def test_the_same_name_is_the_next_version_and_an_earlier_one_can_be_restored(
    owner: Caller,
) -> None:
    id = call(owner, "post", body=BODY).json()["id"]
    again = call(owner, "post", body=BODY.replace("7.50", "7.5"))
    assert (again.status_code, again.json()["version"], again.json()["versions"]) == (
        200,
        2,
        [2, 1],
    )
    assert "7.50" in call(owner, "get", f"{id}/versions/1/").content.decode()
    assert call(owner, "get", f"{id}/versions/2/").json()["version"] == 2
    assert call(owner, "get", f"{id}/versions/9/").status_code == 404
    back = call(owner, "post", f"{id}/restore/", {"version": 1})
    assert (back.status_code, back.json()["version"]) == (200, 3)
    assert call(owner, "post", f"{id}/restore/", {"version": 9}).status_code == 404


def test_a_preset_is_renamed_and_deleted(owner: Caller) -> None:
    id = call(owner, "post", body=BODY).json()["id"]
    call(owner, "post", body=BODY.replace("dusk", "taken"))
    assert call(owner, "post", f"{id}/rename/", {"name": "taken"}).status_code == 422
    assert call(owner, "post", f"{id}/rename/", {"name": "dawn"}).json()["name"] == "dawn"
    assert call(owner, "delete", f"{id}/").status_code == 204
    assert call(owner, "get", f"{id}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"endpoint_id": "acme/img", "input": {}}, ["body", "name"]),
        ({"name": " ", "endpoint_id": "acme/img", "input": {}}, ["body", "name"]),
        ({"name": "x" * 81, "endpoint_id": "acme/img", "input": {}}, ["body", "name"]),
        ({"name": "a", "endpoint_id": "nonsense", "input": {}}, ["body", "endpoint_id"]),
        ({"name": "a", "endpoint_id": "acme/img", "input": {"{{a}}": 1}}, ["body", "input"]),
        ({"name": "a", "endpoint_id": "acme/img", "input": {}, "colour": 1}, ["body", "colour"]),
    ],
)
def test_a_wrong_preset_is_refused_at_its_field(owner: Caller, body: Any, place: list[str]) -> None:
    reply = call(owner, "post", body=body)
    assert reply.status_code == 422
    assert place in [problem["loc"] for problem in reply.json()["detail"]]
    assert not Preset.objects.exists()


@pytest.mark.parametrize("path", ["?colour=1", "?limit=0", "?limit=x"])
def test_unknown_and_wrong_queries_are_refused(owner: Caller, path: str) -> None:
    assert call(owner, "get", path).status_code == 422


ACTS = [
    ("get", "{id}/", None), ("get", "{id}/versions/1/", None), ("delete", "{id}/", None),
    ("post", "{id}/rename/", {"name": "mine"}), ("post", "{id}/restore/", {"version": 1}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "body"), ACTS)
def test_a_foreign_preset_is_as_missing_as_one_that_never_was(
    owner: Caller, stranger: Caller, method: str, path: str, body: Any
) -> None:
    id = call(owner, "post", body=BODY).json()["id"]
    replies = [call(stranger, method, path.format(id=one), body) for one in (id, uuid4(), "x")]
    assert [reply.status_code for reply in replies] == [404, 404, 404]
    assert replies[0].content == replies[1].content == replies[2].content
    assert Preset.objects.get().name == "dusk"
    assert call(stranger, "get").json()["items"] == []


@pytest.mark.parametrize(("method", "path", "body"), [("post", "", BODY), *ACTS[2:]])
def test_viewers_change_nothing(
    owner: Caller, teammate: Caller, method: str, path: str, body: Any
) -> None:
    id = call(owner, "post", body=BODY).json()["id"]
    assert call(teammate, method, path.format(id=id), body).status_code == 403
    assert Preset.objects.get().version == 1


def test_a_preset_that_a_changed_schema_breaks_says_what_no_longer_fits(
    owner: Caller, server: DocumentServer
) -> None:
    name, now = "acme/img", timezone.now()
    for day, properties in ((3, {"style": {}, "size": {}}), (1, {"size": {}})):
        server.body = json.dumps(
            whole({"In": {"type": "object", "properties": properties}})
        ).encode()
        store.refresh(EndpointId.parse(name), now=now - timedelta(days=day))
        if day == 3:
            body = {"name": "oil", "endpoint_id": name, "input": {"style": "oil"}}
            made = call(owner, "post", body=body).json()
            Preset.objects.update(saved_at=now - timedelta(days=2))
    assert made["misfits"] == []
    expected = ["field style is gone"]
    assert call(owner, "get", f"{made['id']}/").json()["misfits"] == expected
    assert [one["misfits"] for one in call(owner, "get").json()["items"]] == [expected]
