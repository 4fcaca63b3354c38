"""What an operation does not know is refused by name, wherever it stands."""

from __future__ import annotations

import re
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import Client

from requests_app.models import FalRequest
from tests.api.conftest import BASE, Caller

BODY = {"endpoint_id": "acme/one", "input": {}}

# of the paths that end so, which read one
BODIES = {
    "/validate/": '{"input": {}}',
    "/estimate/": '{"endpoint_id": "acme/one", "input": {}}',
    "/v1/requests/": '{"endpoint_id": "acme/one", "input": {}}',
    "/v1/presets/": '{"name": "one", "endpoint_id": "acme/one", "input": {}}',
    "/v1/batches/": '{"endpoint_id": "acme/one", "input": {"a": "{{b}}"}, "rows": [{"b": 1}]}',
    "/v1/uploads/": '{"name": "a.png", "size": 1}',
    "/rename/": '{"name": "two"}',
    "/restore/": '{"version": 1}',
    "/document/": "{}",
    **dict.fromkeys(("/resolve/", "/ignore/", "/reopen/"), "{}"),
    "/notes/": '{"text": "a note"}',
    "/destinations/": '{"name": "crm", "address": "https://crm.example/", "events": ["request.failed"]}',
    "/destinations/{id}/change/": '{"name": "crm", "events": ["request.failed"]}',
    "/channels/": '{"kind": "email", "name": "ops", "address": "ops@example.org"}',
    "/replace/": '{"address": "ops@example.org"}',
    "/rules/": '{"event": "failed", "channel": 1}',
    "/change/": '{"event": "failed", "channel": 1}',
    "/tags/": '{"add": ["draft"]}',
    "/exports/": '{"format": "csv"}',
    "/bulk/": '{"verb": "cancel", "q": "", "dry_run": true}',
}


def operations() -> list[tuple[str, str]]:
    """Every method and path, as the API describes itself."""
    from requests_app.api.api import api

    paths = api.get_openapi_schema()["paths"]
    return [(method, path) for path in paths for method in paths[path]]


def call(caller: Caller, method: str, path: str, query: str, body: Any = None) -> HttpResponse:
    made: HttpResponse = Client().generic(
        method.upper(), f"{path}?{query}", body or "", "application/json",
        headers=caller.headers,
    )  # fmt: skip
    return made


def body_of(method: str, path: str) -> str | None:
    """A body the operation takes, if it reads one."""
    path = re.sub(r"/destinations/[^/]+/", "/destinations/{id}/", path)  # one id or another
    for ending, body in BODIES.items():
        if method in ("post", "put") and path.endswith(ending):
            return body
    return None


@pytest.mark.slow
@pytest.mark.parametrize(("method", "path"), operations())
@pytest.mark.parametrize(
    "query", ["surprise=1", "surprise", "mode=run&surprise=1", "%00surprise=1"]
)
def test_an_unknown_query_is_an_error_that_names_it(
    owner: Caller, method: str, path: str, query: str
) -> None:
    row = owner.make()
    path = path.replace("{id}", str(row.public_id)).replace("{endpoint_id}", "acme/one")
    path = path.replace("{number}", "1")
    refused = call(owner, method, path, query, body_of(method, path))
    assert refused.status_code == 422
    problems = refused.json()["detail"]
    assert any("surprise" in problem["loc"][1] for problem in problems)
    assert {problem["loc"][0] for problem in problems} == {"query"}
    assert FalRequest.objects.count() == 1


def test_a_field_of_the_body_is_none_of_the_query(owner: Caller) -> None:
    refused = call(owner, "post", BASE, "mode=run", '{"endpoint_id": "acme/one", "input": {}}')
    assert refused.status_code == 422
    assert refused.json()["detail"][0]["loc"] == ["query", "mode"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 200),
        (" \n", 200),
        ("{}", 200),
        ("null", 200),
        ('{"force": true}', 422),
        ("[]", 400),
        ("{", 400),
    ],
)
def test_an_operation_without_a_body_takes_an_empty_one_alone(
    owner: Caller, body: str, status: int
) -> None:
    row = owner.make()
    answer = call(owner, "post", f"{BASE}{row.public_id}/cancel/", "", body)
    assert answer.status_code == status
    if status == 422:
        assert answer.json()["detail"][0]["loc"] == ["body", "force"]
    row.refresh_from_db()
    assert (row.status == "cancelled") is (status == 200)


@pytest.mark.parametrize("name", ["surprise", "Mode", "fal_webhook", "max_queue_lenght"])
def test_an_unknown_field_of_a_body_is_an_error_that_names_it(owner: Caller, name: str) -> None:
    [problem] = owner.post(body=BODY | {name: 1}).json()["detail"]
    assert problem["loc"] == ["body", name]


def test_without_a_token_nothing_is_said_of_the_query(owner: Caller) -> None:
    assert Client().get(f"{BASE}?surprise=1").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_a_stream_is_refused_before_it_begins(owner: Caller) -> None:
    row = owner.make()

    async def follow() -> int:
        from django.test import AsyncClient

        path = f"{BASE}{row.public_id}/events/?since=1"
        return (await AsyncClient().get(path, headers=owner.headers)).status_code

    assert async_to_sync(follow)() == 422
