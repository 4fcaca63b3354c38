"""Reading an endpoint's document."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.catalogue.document import DocumentError, parse_document
from tests.catalogue.documents import document, ref, whole


def test_input_output_and_facts_are_found() -> None:
    parsed = document({"prompt": {"type": "string"}})
    assert parsed.input_schema() == ref("In")
    assert parsed.output_schema() == ref("Out")
    assert parsed.metadata["category"] == "text-to-image"
    assert parsed.title == "Queue OpenAPI for acme/thing"


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"<html>", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"", "not JSON"),
        (b"[]", "not a JSON object"),
        (b"7", "not a JSON object"),
        (
            b'{"error": {"code": "404", "message": "No document."}}',
            "fal has no schema for it: No document.",
        ),
        (b'{"error": {"code": "not_found"}}', "fal has no schema for it: not_found"),
        (b'{"openapi": "3.0.4"}', "no paths"),
        (b'{"paths": []}', "no paths"),
        (b" " * (8 * 1024 * 1024 + 1), "read at most"),
    ],
)
def test_what_is_no_document_is_refused_in_words(raw: bytes, sentence: str) -> None:
    with pytest.raises(DocumentError, match=sentence):
        parse_document(raw)


@pytest.mark.parametrize(
    "paths", [{}, {"/x": None}, {"/x": {"post": 7}}, {"/x": {"post": {"requestBody": []}}}]
)
def test_a_document_without_an_input_has_none(paths: Any) -> None:
    parsed = parse_document(json.dumps({"paths": paths}).encode())
    assert parsed.input_schema() is None
    assert parsed.output_schema() is None
    assert parsed.metadata == {}


@pytest.mark.parametrize(
    "reference",
    [
        "#/components/schemas/Gone",
        "#/components/schemas/In/type",
        "other.json#/x",
        "",
        None,
        7,
        "#/a/b",
    ],
)
def test_a_reference_that_leads_nowhere_is_none(reference: Any) -> None:
    assert document({}).follow(reference) is None


def test_a_reference_may_hold_escaped_characters() -> None:
    parsed = parse_document(json.dumps(whole({"In": {}, "a/b~c": {"title": "odd"}})).encode())
    assert parsed.follow("#/components/schemas/a~1b~0c") == {"title": "odd"}
