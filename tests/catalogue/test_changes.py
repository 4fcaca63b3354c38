"""What changed between two documents: one change of a kind in each row of the table."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.catalogue.changes import changes
from requests_app.catalogue.document import Document
from requests_app.catalogue.fields import Field, input_fields
from tests.catalogue.documents import whole

NUMBER = {"type": "integer", "minimum": 1, "maximum": 8, "default": 4}
ENUM = {"type": "string", "enum": ["a", "b", "c"]}
OBJECT = {"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "integer"}}}


def fields(properties: dict[str, Any], required: list[str] | None = None) -> tuple[Field, ...]:
    schema = {"type": "object", "properties": properties, "required": required or []}
    return input_fields(Document(whole({"In": schema})))


def told(
    before: Any, after: Any, *, was: Any = None, now: Any = None
) -> list[tuple[str, str, str]]:
    found = changes(fields(before, was), fields(after, now))
    return [(one.what.value, one.path, one.sentence) for one in found]


def test_the_same_fields_have_no_change() -> None:
    assert told({"n": NUMBER, "e": ENUM, "o": OBJECT}, {"n": NUMBER, "e": ENUM, "o": OBJECT}) == []


@pytest.mark.parametrize(
    ("before", "after", "what", "sentence"),
    [
        (NUMBER, NUMBER | {"maximum": 4}, "narrowed", "maximum: 8 → 4"),
        (NUMBER, NUMBER | {"minimum": 2}, "narrowed", "minimum: 1 → 2"),
        (NUMBER, NUMBER | {"multipleOf": 2}, "narrowed", "step: none → 2"),
        ({"type": "string"}, {"type": "string", "maxLength": 9}, "narrowed", "longest text: none → 9"),
        ({"type": "array", "items": {"type": "string"}},
         {"type": "array", "items": {"type": "string"}, "maxItems": 2}, "narrowed", "largest number of items: none → 2"),
        (ENUM, ENUM | {"enum": ["a", "b"]}, "narrowed", 'no longer: "c"'),
        ({"enum": [1, 2]}, {"enum": ["1", 2]}, "narrowed", "no longer: 1"),
        (NUMBER, {"type": "string"}, "narrowed", "was integer, is text"),
        ({"anyOf": [{"type": "integer"}, {"type": "null"}]}, {"type": "integer"}, "narrowed",
         "null is no longer allowed"),
        (NUMBER, NUMBER | {"maximum": 9}, "changed", "maximum: 8 → 9"),
        (NUMBER, NUMBER | {"minimum": 0}, "changed", "minimum: 1 → 0"),
        (NUMBER, NUMBER | {"default": 5}, "changed", "the default was 4, is 5"),
        (NUMBER, {k: v for k, v in NUMBER.items() if k != "default"}, "changed", "the default was 4, is none"),
        ({"type": "boolean", "default": True}, {"type": "boolean", "default": 1}, "changed",
         "the default was true, is 1"),
        (ENUM, ENUM | {"enum": ["a", "b", "c", "d"]}, "changed", 'also: "d"'),
        ({"type": "integer"}, {"anyOf": [{"type": "integer"}, {"type": "null"}]}, "changed", "may be null now"),
    ],
)  # fmt: skip
def test_a_change_of_a_field_is_told(before: Any, after: Any, what: str, sentence: str) -> None:
    assert (what, "/f", sentence) in told({"f": before}, {"f": after})


def test_what_was_there_and_what_came_are_told_once_without_what_lies_inside() -> None:
    assert told({"o": OBJECT}, {"n": NUMBER}) == [
        ("gone", "/o", "was object"),
        ("added", "/n", "is new: integer"),
    ]


def test_a_new_required_field_breaks_old_inputs() -> None:
    assert told({}, {"n": NUMBER}, now=["n"]) == [("narrowed", "/n", "is new: integer, required")]


def test_required_comes_and_goes() -> None:
    assert told({"n": NUMBER}, {"n": NUMBER}, now=["n"]) == [("narrowed", "/n", "is required now")]
    assert told({"n": NUMBER}, {"n": NUMBER}, was=["n"]) == [
        ("changed", "/n", "is no longer required")
    ]


def test_changes_inside_an_object_and_a_list_have_their_path() -> None:
    inner = {"type": "object", "properties": {"x": {"type": "integer"}}}
    before = {"o": OBJECT, "l": {"type": "array", "items": OBJECT}}
    after = {"o": inner, "l": {"type": "array", "items": inner}}
    assert told(before, after) == [
        ("gone", "/l/*/y", "was integer"),
        ("gone", "/o/y", "was integer"),
    ]


def test_many_choices_are_counted() -> None:
    before = {"type": "string", "enum": [f"v{n}" for n in range(20)]}
    [(_, _, sentence)] = told({"f": before}, {"f": before | {"enum": ["v0"]}})
    assert sentence.endswith("and 14 more")
