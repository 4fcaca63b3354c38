"""Documents that no author meant: each becomes a form, or a sentence, in bounded size."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from django.template.loader import render_to_string

from requests_app.catalogue.document import DocumentError, parse_document
from requests_app.catalogue.fields import MAX_CHOICES, MAX_FIELDS, input_fields
from requests_app.catalogue.kinds import Kind
from requests_app.catalogue.store import Entry, Known
from requests_app.sandbox.models import ENDPOINTS
from requests_app.sandbox.openapi import document as sandbox_document
from requests_app.views.endpoint_form import context_of
from tests.catalogue.documents import document, whole

ODD = [
    None, 0, -1, True, "x", "", [], {}, [[]], {"": 1}, 10**400, 1e308, float("inf"), "\ud800",
    {"enum": []}, {"type": ["string", "null"]}, {"anyOf": []}, {"$ref": "#/components/schemas/None"},
]  # fmt: skip
INPUTS: list[Any] = [{}, {"prompt": 1}, [], None, "x"]
MOST_BYTES = 8_000_000


def opened(raw: bytes) -> str:
    """The form as a page holds it, after inputs have been checked."""
    known = Known(parse_document(raw))
    for value in INPUTS:
        known.validator.problems(value)
    html = render_to_string("form/_fields.html", context_of(Entry("acme/thing", known)))
    assert len(html.encode()) < MOST_BYTES
    return html


def places(node: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a document."""
    yield path
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node if isinstance(node, list) else [])
    )
    for key, value in items:
        yield from places(value, (*path, key))


def mutated(root: Any, dice: random.Random) -> bytes:
    changed = copy.deepcopy(root)
    path = dice.choice([place for place in places(changed) if "schemas" in place[:-1]])
    holder = changed
    for key in path[:-1]:
        holder = holder[key]
    if dice.random() < 0.2:
        del holder[path[-1]]
    else:
        holder[path[-1]] = copy.deepcopy(dice.choice(ODD))
    return json.dumps(changed).encode()


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_a_document_with_one_odd_place_is_a_form_or_a_sentence(endpoint_id: str) -> None:
    root = sandbox_document(ENDPOINTS[endpoint_id], "http://fal.test")
    dice = random.Random(endpoint_id)
    for _ in range(4):
        try:
            opened(mutated(root, dice))
        except DocumentError as error:
            assert str(error)


def nested(key: str, depth: int) -> Any:
    schema: Any = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", key: schema} if key == "items" else {key: [schema]}
    return schema


@pytest.mark.parametrize(
    "properties",
    [
        {f"p{n}": {"type": "string"} for n in range(60_000)},
        {"a": {"type": "object", "properties": {f"p{n}": {} for n in range(60_000)}}},
        {"a": {"enum": [f"value {n}" for n in range(300_000)]}},
        {"a": {"type": "string", "description": "x " * 2_500_000}},
        {"a": nested("anyOf", 300)},
        {"a": nested("allOf", 300)},
        {"a": nested("items", 300)},
        {"a": {"type": "integer", "minimum": 0, "maximum": 10**400}},
        {"a": {"type": "string", "maxLength": float("inf")}},
        {"a": {"type": "string", "title": "\ud800"}},
    ],
    ids=["fields", "members", "choices", "text", "anyOf", "allOf", "items", "number", "length", "half"],
)  # fmt: skip
def test_what_is_too_large_or_too_deep_is_a_form_too(properties: Any) -> None:
    schemas = {"In": {"type": "object", "properties": properties}, "Out": {}}
    assert opened(json.dumps(whole(schemas)).encode())


def test_what_is_too_much_is_json_with_a_reason() -> None:
    many = {"type": "object", "properties": {f"p{n}": {} for n in range(MAX_FIELDS + 1)}}
    choices = {"enum": list(range(MAX_CHOICES + 1))}
    fields = input_fields(document({"many": many, "choices": choices, "a": {"type": "string"}}))
    assert [field.kind for field in fields] == [Kind.JSON, Kind.JSON, Kind.TEXT]
    assert [field.note for field in fields] == [
        "Shown as JSON: the schema has too many fields.",
        "Shown as JSON: it has more than 2,000 choices.",
        "",
    ]
