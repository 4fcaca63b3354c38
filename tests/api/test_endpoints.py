"""Endpoints over the API."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from tests.catalogue.conftest import DocumentServer, server
from tests.catalogue.documents import IMAGE_SIZE, ref, whole
from tests.catalogue.prices import PriceServer
from tests.catalogue.test_prices import fal

__all__ = ["fal", "server"]

PROPERTIES = {
    "prompt": {"type": "string", "title": "Prompt"},
    "image_size": {"anyOf": [ref("Size"), {"enum": ["square"], "type": "string"}], "default": "square"},
    "loras": {"type": "array", "items": {"type": "string"}},
    "seed": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": None},
}  # fmt: skip
DOCUMENT = whole(
    {"In": {"type": "object", "properties": PROPERTIES, "required": ["prompt"]}, "Size": IMAGE_SIZE}
)


@pytest.fixture
def acme(server: DocumentServer) -> DocumentServer:
    server.body = json.dumps(DOCUMENT).encode()
    return server


def test_an_endpoint_has_its_fields_in_the_documented_shape(acme: Any, owner: Any) -> None:
    reply = Client().get("/api/v1/endpoints/acme/thing/", headers=owner.headers)
    assert reply.status_code == 200
    told = reply.json()
    assert (told["endpoint_id"], told["category"], told["problem"]) == (
        "acme/thing",
        "text-to-image",
        "",
    )
    prompt, size, loras, seed = told["fields"]
    assert (prompt["kind"], prompt["required"], prompt["group"]) == ("long_text", True, "main")
    assert (size["kind"], size["choices"], size["default"]) == (
        "choice_or_object",
        ["square"],
        "square",
    )
    assert [inner["path"] for inner in size["fields"]] == [
        "/image_size/width",
        "/image_size/height",
    ]
    assert loras["item"]["path"] == "/loras/*"
    assert (seed["nullable"], seed["has_default"], seed["default"]) == (True, True, None)
    assert told["input_schema"] == ref("In")


def test_an_endpoint_without_a_document_says_why(acme: Any, owner: Any) -> None:
    acme.status = 404
    told = Client().get("/api/v1/endpoints/acme/thing/", headers=owner.headers).json()
    assert (told["fields"], told["input_schema"]) == ([], None)
    assert "no schema" in told["problem"]


@pytest.mark.parametrize("path", ["acme", "acme/x/requests/1/cancel", "acme/thing%20x"])
def test_what_is_no_endpoint_id_is_not_found(path: str, acme: Any, owner: Any) -> None:
    reply = Client().get(f"/api/v1/endpoints/{path}/", headers=owner.headers)
    assert reply.status_code == 404
    assert not acme.asked


@pytest.mark.parametrize(
    ("given", "errors"),
    [
        ({"prompt": "x"}, []),
        ({}, [{"path": "/prompt", "message": "This field is required."}]),
        ({"prompt": "x", "image_size": {"width": "a"}},
         [{"path": "/image_size/width", "message": "Must be a whole number."}]),
    ],
)  # fmt: skip
def test_an_input_is_judged_by_the_schema(given: Any, errors: Any, acme: Any, owner: Any) -> None:
    reply = Client().post(
        "/api/v1/endpoints/acme/thing/validate/", json.dumps({"input": given}),
        content_type="application/json", headers=owner.headers,
    )  # fmt: skip
    assert reply.json() == {"valid": not errors, "checked": True, "errors": errors}


def test_nobody_reads_endpoints_without_a_token(acme: Any, db: None) -> None:
    assert Client().get("/api/v1/endpoints/acme/thing/").status_code == 401
    assert not acme.asked


def test_an_unknown_field_of_the_body_is_an_error_that_names_it(acme: Any, owner: Any) -> None:
    reply = Client().post(
        "/api/v1/endpoints/acme/thing/validate/", '{"input": {}, "inptu": 1}',
        content_type="application/json", headers=owner.headers,
    )  # fmt: skip
    assert reply.status_code == 422
    assert reply.json()["detail"][0]["loc"][-1] == "inptu"


def test_an_endpoint_has_its_price(acme: Any, owner: Any, fal: PriceServer) -> None:
    told = Client().get("/api/v1/endpoints/acme/img/", headers=owner.headers).json()["price"]
    assert (told["state"], told["unit_price"], told["unit"]) == ("known", 0.025, "megapixels")
    assert (told["estimate_per_call"], told["currency"], told["problem"]) == (0.04, "USD", "")


def test_an_endpoint_without_a_price_says_why(acme: Any, owner: Any, fal: PriceServer) -> None:
    fal.price = (403, {})
    told = Client().get("/api/v1/endpoints/acme/img/", headers=owner.headers).json()["price"]
    assert (told["state"], told["unit_price"]) == ("not_allowed", None)
    assert "permission" in told["problem"]


PATH = "/api/v1/endpoints/acme/thing/document/"
APP = {**DOCUMENT, "paths": {"/": DOCUMENT["paths"]["/acme/thing"]}}


def put(caller: Any, body: Any, path: str = PATH) -> Any:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Client().put(path, data, content_type="application/json", headers=caller.headers)


def test_a_program_sets_the_document_of_an_own_app_for_its_team_and_drops_it(
    acme: Any, owner: Any, stranger: Any
) -> None:
    acme.status = 404
    told = put(owner, APP).json()
    assert [field["name"] for field in told["fields"]] == list(PROPERTIES)
    assert (told["pasted_by"], bool(told["pasted_at"])) == ("olive", True)
    read, validate = (f"/api/v1/endpoints/acme/thing/{path}" for path in ("", "validate/"))
    assert Client().get(read, headers=owner.headers).json()["fields"] == told["fields"]
    given = {"path": validate, "data": {"input": {}}, "content_type": "application/json"}
    assert Client().post(**given, headers=owner.headers).json()["valid"] is False
    assert Client().post(**given, headers=stranger.headers).json()["checked"] is False
    assert Client().get(read, headers=stranger.headers).json()["pasted_by"] == ""
    assert Client().delete(PATH, headers=owner.headers).status_code == 204
    assert Client().get(read, headers=owner.headers).json()["fields"] == []


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"{", 400, "Not JSON"),
        (b"[]", 422, "dictionary"),
        ({}, 422, "no paths"),
        ({"paths": {"/x": {"post": {}}}}, 422, "It has: /x."),
        (b'{"paths": {}, "x": "' + b"x" * 2**21 + b'"}', 422, "at most"),
    ],
)
def test_what_is_no_document_is_refused_with_a_sentence(
    acme: Any, owner: Any, body: Any, status: int, sentence: str
) -> None:
    reply = put(owner, body)
    assert reply.status_code == status
    assert sentence in reply.json()["detail"][0]["msg"]


def test_a_viewer_sets_and_drops_no_document(acme: Any, teammate: Any) -> None:
    assert put(teammate, APP).status_code == 403
    assert Client().delete(PATH, headers=teammate.headers).status_code == 403
    assert put(teammate, APP, PATH.replace("thing", "th ing")).status_code in (403, 404)
