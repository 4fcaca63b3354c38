"""What is known about endpoints, and when it is fetched."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from dashboard.celery import app
from dashboard.local_apps import LocalApp
from requests_app import tasks
from requests_app.catalogue import store
from requests_app.fal.endpoints import EndpointId
from requests_app.models import Endpoint, EndpointDocument, Team
from tests.catalogue.conftest import DocumentServer
from tests.catalogue.documents import whole

pytestmark = pytest.mark.django_db

ENDPOINT = EndpointId.parse("acme/thing")


def document_with(*names: str) -> bytes:
    given = {"type": "object", "properties": {name: {"type": "string"} for name in names}}
    return json.dumps(whole({"In": given})).encode()


def names(entry: store.Entry) -> list[str]:
    return [field.name for field in entry.known.fields] if entry.known else []


def test_an_unknown_endpoint_is_fetched_once(server: DocumentServer, team: Team) -> None:
    server.body = document_with("prompt")
    assert store.look_up("acme/thing", team) is None
    assert names(store.get(ENDPOINT, team)) == ["prompt"]
    assert names(store.get(ENDPOINT, team)) == ["prompt"]
    assert len(server.asked) == 1
    assert bytes(EndpointDocument.objects.get().raw) == server.body


def test_a_known_document_is_kept_while_its_source_is_away(
    server: DocumentServer, team: Team
) -> None:
    server.body = document_with("prompt")
    store.get(ENDPOINT, team)
    server.status = 500
    entry = store.refresh(ENDPOINT, now=timezone.now())
    assert names(entry) == ["prompt"]
    assert "HTTP 500" in entry.problem


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b'{"error": {"code": "x", "message": "Gone."}}', b'{"paths": 7}']
)
def test_what_is_no_document_is_a_problem_and_is_not_kept(
    server: DocumentServer, body: bytes, team: Team
) -> None:
    server.body = body
    entry = store.get(ENDPOINT, team)
    assert (entry.known, bool(entry.problem)) == (None, True)
    assert not EndpointDocument.objects.exists()


def test_an_endpoint_without_a_document_is_asked_for_again_after_a_while(
    server: DocumentServer, team: Team
) -> None:
    server.status = 404
    store.get(ENDPOINT, team)
    store.get(ENDPOINT, team)
    assert len(server.asked) == 1
    Endpoint.objects.update(checked_at=timezone.now() - store.RETRY - timedelta(seconds=1))
    store.get(ENDPOINT, team)
    assert len(server.asked) == 2


def test_each_version_is_kept_once(server: DocumentServer, team: Team) -> None:
    for body in (document_with("a"), document_with("a", "b"), document_with("a")):
        server.body = body
        store.refresh(ENDPOINT, now=timezone.now())
    assert EndpointDocument.objects.count() == 2
    entry = store.look_up("acme/thing", team)
    assert entry is not None
    assert names(entry) == ["a"]


def test_a_document_that_is_a_day_old_is_fetched_again_by_the_clock(
    server: DocumentServer, team: Team
) -> None:
    assert tasks.refresh_documents.name in {e["task"] for e in app.conf.beat_schedule.values()}
    server.body = document_with("a")
    store.get(ENDPOINT, team)
    server.body = document_with("a", "b")
    tasks.refresh_documents()
    assert len(server.asked) == 1
    Endpoint.objects.update(checked_at=timezone.now() - store.FRESH - timedelta(seconds=1))
    tasks.refresh_documents()
    entry = store.look_up("acme/thing", team)
    assert entry is not None
    assert names(entry) == ["a", "b"]


def test_the_clock_fetches_a_few_at_a_time_the_oldest_first(server: DocumentServer) -> None:
    server.body = document_with("a")
    now = timezone.now()
    for age in range(store.AT_ONCE + 2):
        store.refresh(EndpointId.parse(f"acme/old{age}"), now=now - timedelta(days=2 + age))
    server.asked.clear()
    assert store.refresh_old(now=now) == store.AT_ONCE
    assert server.asked[0][0].endswith(f"old{store.AT_ONCE + 1}")
    assert store.refresh_old(now=now) == 2
    assert store.refresh_old(now=now) == 0


def test_the_clock_leaves_endpoints_without_a_document_alone(server: DocumentServer) -> None:
    server.status = 404
    store.refresh(ENDPOINT, now=timezone.now() - timedelta(days=2))
    assert store.refresh_old(now=timezone.now()) == 0


def test_an_open_form_reads_no_document_that_is_parsed_already(
    server: DocumentServer, django_assert_num_queries: Any, team: Team
) -> None:
    server.body = document_with("a")
    store.get(ENDPOINT, team)
    with django_assert_num_queries(2) as queries:
        store.look_up("acme/thing", team)
    assert '"raw"' not in queries.captured_queries[1]["sql"]


def test_the_document_of_an_own_app_is_read_anew_a_moment_later_and_names_the_paths_it_has(
    server: DocumentServer, team: Team, settings: Any
) -> None:
    settings.LOCAL_APPS = {"acme/thing": LocalApp("acme/thing", server.url)}
    document = json.loads(document_with("prompt"))
    [operations] = [one for path, one in document["paths"].items() if "post" in one]
    document["paths"] = {"/": operations}
    server.body = json.dumps(document).encode()
    for _ in range(2):
        assert names(store.get(ENDPOINT, team)) == ["prompt"]
    assert [path for path, _ in server.asked] == ["/openapi.json"]
    server.body = server.body.replace(b"prompt", b"motif")
    Endpoint.objects.update(checked_at=timezone.now() - store.OF_OWN_APP)
    assert names(store.get(ENDPOINT, team)) == ["motif"]
    missing = store.get(EndpointId.parse("acme/thing/paint"), team)
    assert (missing.known, missing.problem) == (
        None,
        "The document has no POST /paint for this endpoint. It has: /.",
    )
