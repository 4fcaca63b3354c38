"""A document that a team pastes for its own app: which of its paths counts, who has it, what is refused."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from requests_app.catalogue import own, pasted, store
from requests_app.catalogue.pasted import MAX_BYTES, MOST_KEPT, PasteRefused
from requests_app.catalogue.versions import last_change, news
from requests_app.fal.endpoints import EndpointId
from requests_app.models import EndpointDocument, ModelCard, Team, TeamEndpoint
from tests.catalogue.conftest import DocumentServer
from tests.catalogue.documents import ref, whole

NOW = timezone.now() - timedelta(days=3)
APP = EndpointId.parse("acme/thing")


def app_document(**paths: tuple[str, ...]) -> dict[str, Any]:
    """As an app serves it: a POST per path, with the names of its fields; `root` is "/"."""
    schemas, posts = {}, {}
    for name, fields in paths.items():
        schemas[name] = {
            "type": "object",
            "properties": {field: {"type": "string"} for field in fields},
        }
        content = {"application/json": {"schema": ref(name)}}
        posts["/" if name == "root" else f"/{name}"] = {
            "post": {
                "requestBody": {"content": content},
                "responses": {"200": {"content": content}},
            }
        }
    paths_of_all = {"/health": {"get": {}}, **posts}
    return {"openapi": "3.1.0", "paths": paths_of_all, "components": {"schemas": schemas}}


def paste(
    team: Team, person: User, document: Any, *, to: str = "acme/thing", day: float = 0
) -> store.Entry:
    raw = document if isinstance(document, bytes) else json.dumps(document).encode()
    at = NOW + timedelta(days=day)
    return pasted.paste(team, EndpointId.parse(to), raw, person=person, now=at)


def names(entry: store.Entry | None) -> list[str]:
    return [field.name for field in entry.known.fields] if entry and entry.known else []


@pytest.mark.parametrize(
    ("endpoint_id", "fields"),
    [
        ("acme/thing", ["prompt"]),
        ("acme/thing/fast", ["words"]),
        ("workflows/acme/thing/fast", ["words"]),
    ],
)
def test_the_path_behind_the_app_decides(
    team: Team, owner: User, endpoint_id: str, fields: list[str]
) -> None:
    document = app_document(fast=("words",), root=("prompt",))
    entry = paste(team, owner, document, to=endpoint_id)
    assert names(entry) == fields
    assert (entry.pasted_by, entry.pasted_at) == ("olga", NOW)
    assert entry.known is not None
    assert entry.known.validator.problems({fields[0]: 1})
    assert entry.known.document.output_schema() == ref("root" if fields == ["prompt"] else "fast")


def test_a_document_of_fals_own_kind_is_taken_too(team: Team, owner: User) -> None:
    given = {"type": "object", "properties": {"a": {"type": "string"}}}
    entry = paste(team, owner, whole({"In": given, "Out": {"type": "object"}}))
    assert names(entry) == ["a"]
    assert entry.known is not None
    assert entry.known.document.output_schema() == ref("Out")


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (b"", "not JSON"),
        (b"<html>", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"\xff\xfe", "not JSON"),
        ({"paths": []}, "no paths"),
        ({"error": {"message": "Gone."}}, "Gone."),
        ({"paths": {}}, "no POST / for this endpoint. It has: none."),
        (app_document(slow=("a",)), "The document has no POST / for this endpoint. It has: /slow."),
        (whole({"In": {}}, "acme/other"), "It has: /acme/other."),
        (b'{"paths": {"/": {"post": {}}}, "x": "' + b"x" * MAX_BYTES + b'"}', "2,097,152 are taken at most"),
    ],
)  # fmt: skip
def test_what_is_no_document_of_the_endpoint_is_a_sentence_and_is_not_kept(
    team: Team, owner: User, document: Any, sentence: str
) -> None:
    paste(team, owner, app_document(root=("a",)))
    with pytest.raises(PasteRefused) as refused:
        paste(team, owner, document)
    assert sentence in str(refused.value)
    assert names(store.look_up("acme/thing", team)) == ["a"]
    assert EndpointDocument.objects.count() == 1


def test_it_comes_before_fals_for_its_team_alone_until_fals_is_used_again(
    server: DocumentServer, team: Team, owner: User, stranger: User
) -> None:
    given = {"type": "object", "properties": {"fals": {"type": "string"}}}
    server.body = json.dumps(whole({"In": given})).encode()
    store.refresh(APP, now=NOW)
    other = Team.objects.get(memberships__user=stranger)
    paste(team, owner, app_document(root=("ours",)))
    server.asked.clear()
    assert names(store.get(APP, team)) == names(store.look_up("acme/thing", team)) == ["ours"]
    assert names(store.get(APP, other)) == ["fals"]
    pasted.use_fals(other, APP, person=stranger)
    assert names(store.get(APP, team)) == ["ours"]
    pasted.use_fals(team, APP, person=owner)
    assert names(store.get(APP, team)) == ["fals"]
    assert not TeamEndpoint.objects.exists()
    assert not server.asked


def test_nothing_is_fetched_for_an_app_that_fal_does_not_know(
    server: DocumentServer, team: Team, owner: User
) -> None:
    paste(team, owner, app_document(root=("a",)))
    assert names(store.get(APP, team)) == ["a"]
    assert not server.asked
    assert [one.endpoint_id for one in own.own_endpoints(team)] == ["acme/thing"]


def test_the_document_stays_when_the_endpoint_is_starred_and_unstarred(
    team: Team, owner: User
) -> None:
    paste(team, owner, app_document(root=("a",)))
    for is_favourite in (True, False):
        own.set_favourite(team, APP, is_favourite=is_favourite, person=owner)
    assert names(store.look_up("acme/thing", team)) == ["a"]


def test_a_newer_one_is_a_change_and_news_to_the_others(
    team: Team, owner: User, teammate: User
) -> None:
    paste(team, owner, app_document(root=("a", "b")))
    paste(team, owner, app_document(root=("a",)), day=1)
    change = last_change("acme/thing", team)
    assert change is not None
    assert [(one.what.value, one.path) for one in change.changes] == [("gone", "/b")]
    now = NOW + timedelta(days=2)
    assert news(teammate, team, "acme/thing", now=now) is not None
    assert news(owner, team, "acme/thing", now=now) is None


def test_versions_are_kept_by_hash_and_only_the_newest(team: Team, owner: User) -> None:
    for day in (0, 1):
        paste(team, owner, app_document(root=("a",)), day=day)
    assert EndpointDocument.objects.count() == 1
    for day in range(2, MOST_KEPT + 5):
        paste(team, owner, app_document(root=(f"a{day}",)), day=day)
    assert EndpointDocument.objects.count() == MOST_KEPT
    assert names(store.look_up("acme/thing", team)) == [f"a{MOST_KEPT + 4}"]


def test_a_model_of_fals_list_with_a_schema_takes_none(
    server: DocumentServer, team: Team, owner: User
) -> None:
    ModelCard.objects.create(endpoint_id="acme/thing", checked_at=NOW)
    assert names(paste(team, owner, app_document(root=("a",)))) == ["a"]  # fal has no schema of it
    server.body = json.dumps(whole({"In": {}})).encode()
    store.refresh(APP, now=NOW)
    with pytest.raises(PasteRefused, match="in fal's list of models"):
        paste(team, owner, app_document(root=("b",)))
