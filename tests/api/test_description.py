"""The OpenAPI document: the file in docs/ is what the site serves, and it says what every call may be answered with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from openapi_spec_validator import OpenAPIV31SpecValidator

from requests_app.models import FalRequest, Status
from tests.api.conftest import Caller

FILE = Path(__file__).parents[2] / "docs/openapi.json"
RATE = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    served: dict[str, Any] = Client().get("/api/v1/openapi.json").json()
    return served


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, ways in document["paths"].items()
        for method, operation in ways.items()
    ]


def resolved(document: dict[str, Any], place: dict[str, Any]) -> dict[str, Any]:
    for name in place.get("$ref", "").split("/")[1:]:
        document = document[name]
    return document if "$ref" in place else place


def test_the_file_is_what_the_site_serves(document: dict[str, Any]) -> None:
    kept = json.loads(FILE.read_text("utf-8"))
    assert kept == document, (
        "The API has changed: run `make openapi`, and commit docs/openapi.json."
    )


def test_it_is_valid(document: dict[str, Any]) -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_every_operation_tells_its_refusals_and_headers(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        replies = {code: resolved(document, one) for code, one in operation["responses"].items()}
        expected = {"401", "403", "422", "429", "503"}
        expected |= {"404"} if "{" in path else set()
        expected |= {"400", "413"} if method != "get" else set()
        assert expected <= set(replies), f"{method} {path}"
        for code, reply in replies.items():
            headers = set(reply["headers"])
            assert headers >= RATE or code == "401", f"{method} {path} {code}"
            assert ("Location" in headers) is (code == "201")
            assert ("Retry-After" in headers) is (code in ("429", "503"))
            if code >= "400" and code != "416":
                assert reply["content"]["application/json"]["schema"], f"{method} {path} {code}"
            elif code not in ("202", "204", "304", "416"):
                assert reply["content"], f"{method} {path} {code}"
        assert operation["security"] == [{"Bearer": []}]
    assert list(document["components"]["securitySchemes"]) == ["Bearer"]


def test_words_have_one_schema_each_and_outputs_and_events_have_types(
    document: dict[str, Any],
) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Status"]["enum"] == Status.values
    for name, field in (("RequestOut", "status"), ("ObservationOut", "status")):
        assert schemas[name]["properties"][field] == {"$ref": "#/components/schemas/Status"}
    query = document["paths"]["/api/v1/requests/"]["get"]["parameters"]
    [status] = [one["schema"] for one in query if one["name"] == "status"]
    assert status["items"] == {"$ref": "#/components/schemas/Status"}
    kinds = schemas["RequestDetail"]["properties"]["output"]["anyOf"]
    assert {one["type"] for one in kinds} == {
        "object", "array", "string", "number", "boolean", "null",
    }  # fmt: skip
    events = {
        resolved(document, one)["properties"]["event"]["const"]: resolved(document, one)
        for one in schemas["RequestEvent"]["oneOf"]
    }
    assert set(events) == {"status", "log", "frame", "end"}
    assert events["end"]["properties"]["data"] == {"$ref": "#/components/schemas/RequestOut"}
    assert "x-words" not in json.dumps(document)


def test_generators_see_what_a_call_that_waits_answers_and_what_may_be_left_out(
    document: dict[str, Any],
) -> None:
    both = [{"$ref": f"#/components/schemas/{name}"} for name in ("RequestDetail", "RequestOut")]
    replies = document["paths"]["/api/v1/requests/"]["post"]["responses"]
    for code in ("200", "201"):
        assert replies[code]["content"]["application/json"]["schema"] == {"anyOf": both}
    body = document["components"]["schemas"]["NewRequest"]
    assert set(body["required"]) == {"endpoint_id", "input"}
    assert not any("default" in member for member in body["properties"].values())
    assert body["properties"]["mode"]["description"] == 'Default: `"queue"`.'


def test_a_problem_of_the_body_is_always_a_list(owner: Caller) -> None:
    row = owner.make()
    for path, body, code in (
        ("import/", b"no zip", 422),
        (f"{row.public_id}/cancel/", "[]", 400),
        ("", "{", 400),
        ("", "{}", 422),
    ):
        refused = owner.post(path, body)
        assert refused.status_code == code
        assert {"loc", "msg", "type"} <= set(refused.json()["detail"][0]), path
    assert FalRequest.objects.count() == 1
