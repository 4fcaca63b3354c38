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
from tests.catalogue.documents import document, ref, whole

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


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    "properties",
    [
        {f"p{n}": {"type": "string"} for n in range(60_000)},
        {"a": {"type": "object", "properties": {f"p{n}": {} for n in range(60_000)}}},
        {"a": {"enum": [f"value {n}" for n in range(300_000)]}},
        {"a": {"type": "string", "description": "x " * 2_500_000}},
        {"a": nested("anyOf", 30)},
        {"a": nested("anyOf", 300)},
        {"a": nested("allOf", 300)},
        {"a": nested("items", 300)},
        {"a": {"type": "integer", "minimum": 0, "maximum": 10**400}},
        {"a": {"type": "string", "maxLength": float("inf")}},
        {"a": {"type": "string", "title": "\ud800"}},
    ],
    ids=["fields", "members", "choices", "text", "some anyOf", "anyOf", "allOf", "items", "number", "length", "half"],
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


LONG = "x" * 5_000_000
TOO_LONG = "Its default is longer than 5,000 characters and is not shown."
TOO_LARGE = "Its default is a number that is too large and is not shown."


@pytest.mark.parametrize(
    ("schema", "kind", "note"),
    [
        ('{"type": "string", "default": "LONG"}', Kind.TEXT, TOO_LONG),
        ('{"type": "array", "items": {}, "default": [["LONG"]]}', Kind.JSON, TOO_LONG),
        ('{"type": "object", "properties": {"a": {}}, "default": {"LONG": 1}}', Kind.OBJECT, TOO_LONG),
        ('{"type": "number", "default": 1e999}', Kind.NUMBER, TOO_LARGE),
        ('{"type": "number", "default": -1e999}', Kind.NUMBER, TOO_LARGE),
        ('{"type": "number", "default": Infinity}', Kind.NUMBER, TOO_LARGE),
        ('{"type": "array", "items": {}, "default": [{"a": 1e999}]}', Kind.JSON, TOO_LARGE),
        ('{"type": "number", "default": NaN}', Kind.NUMBER, ""),
        ('{"type": "number", "maximum": 1e999, "minimum": -1e999}', Kind.NUMBER, ""),
        ('{"type": "string", "examples": ["LONG"]}', Kind.TEXT, ""),
        ('{"type": "string", "title": "LONG"}', Kind.TEXT, ""),
        ('{"type": "string", "x-fal": {"max_width": "LONG", "min_width": 1e999}}', Kind.TEXT, ""),
        ('{"enum": ["a", "LONG"]}', Kind.JSON,
         "Shown as JSON: one of its choices is longer than 200,000 characters."),
        ('{"$ref": "#/components/schemas/LONG"}', Kind.JSON,
         f"Shown as JSON: {'x' * 80} is missing from the schema."),
        ('{"enum": [1, 1e999]}', Kind.JSON,
         "Shown as JSON: one of its choices is a number that is too large."),
        ('{"type": "array", "items": {"enum": ["LONG"]}}', Kind.JSON,
         "Shown as JSON: one of its choices is longer than 200,000 characters."),
    ],
)  # fmt: skip
def test_a_value_that_no_page_can_hold_is_left_out_with_a_sentence(
    schema: str, kind: Kind, note: str
) -> None:
    root = json.dumps(whole({"In": {"type": "object", "properties": {"thing": "HERE"}}}))
    raw = root.replace('"HERE"', schema.replace("LONG", LONG)).encode()
    [field] = input_fields(parse_document(raw))
    assert (field.kind, field.note) == (kind, note)
    html = opened(raw)
    assert len(html) < 30_000
    assert note in html
    assert not [word for word in ("Infinity", "NaN") if word in html]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ([f"p{n}" for n in range(2 * MAX_FIELDS)], ""),
        ([f"p{n}" for n in range(2 * MAX_FIELDS + 1)], "1 more field can be set"),
        ([f"p{n}" for n in range(2 * MAX_FIELDS + 500)], "500 more fields can be set"),
        (["a", "b" * 301], "1 more field can be set"),
        (["a", LONG], "1 more field can be set"),
    ],
    ids=["all", "one", "many", "name", "long name"],
)
def test_fields_that_are_left_out_are_counted(names: list[str], sentence: str) -> None:
    schema = {"type": "object", "properties": {name: {"type": "boolean"} for name in names}}
    html = opened(json.dumps(whole({"In": schema})).encode())
    assert ("more field" in html) is bool(sentence)
    assert sentence in html


def levels(key: str, width: int, depth: int) -> dict[str, Any]:
    """Schemas of which each refers to the next one so many times."""
    names = [f"Level{number}" for number in range(depth)]
    inner = [
        {key: [{"$ref": f"#/components/schemas/{name}"} for _ in range(width)]}
        for name in [*names[1:], "Last"]
    ]
    return {**dict(zip(names, inner, strict=True)), "Last": {"type": "integer"}}


@pytest.mark.parametrize("key", ["anyOf", "oneOf", "allOf"])
def test_alternatives_that_multiply_are_json_with_a_reason(key: str) -> None:
    wide = {"$ref": "#/components/schemas/Level0"}
    schema = {"type": "object", "properties": {"wide": wide, "a": {"type": "string"}}}
    raw = json.dumps(whole({"In": schema, **levels(key, 40, 6)})).encode()
    assert opened(raw)
    field, other = input_fields(parse_document(raw))
    assert (field.kind, other.kind) == (Kind.JSON, Kind.TEXT)
    reason = "Last contains itself" if key == "allOf" else "it has more than 500 alternatives"
    assert field.note == f"Shown as JSON: {reason}."


@pytest.mark.slow
def test_an_input_is_not_checked_by_a_document_whose_references_multiply() -> None:
    wide = {"$ref": "#/components/schemas/Level0"}
    schema = {"type": "object", "properties": {"a": wide}}
    for depth, is_checked in ((3, True), (8, False)):
        raw = json.dumps(whole({"In": schema, **levels("anyOf", 40, depth)})).encode()
        problems = Known(parse_document(raw)).validator.problems({"a": "x"})
        assert bool(problems) is is_checked


@pytest.mark.parametrize(
    ("node", "is_checked"),
    [
        ({"anyOf": [{"properties": {"c": ref("Node")}, "required": [name]} for name in "xy"]}, False),
        ({"allOf": [{"properties": {"c": ref("Node")}} for _ in "xy"]}, False),
        ({"properties": {side: {"anyOf": [ref("Node"), {"type": "null"}]} for side in ("c", "d")}}, True),
        ({"type": "object", "properties": {"c": ref("Node")}}, True),
    ],
)  # fmt: skip
def test_a_document_whose_check_would_double_with_each_level_of_an_input_checks_nothing(
    node: dict[str, Any], is_checked: bool
) -> None:
    given: Any = {}
    for _ in range(40):
        given = {"c": given}
    known = Known(document({"a": ref("Node"), "b": {"type": "integer"}}, Node=node))
    problems = known.validator.problems({"a": given, "b": "x"})
    assert bool(problems) is is_checked
