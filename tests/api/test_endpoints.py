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
