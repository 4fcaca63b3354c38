"""An input against its endpoint's schema: sentences at the place that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from requests_app.catalogue.validation import InputProblem, Validator
from tests.catalogue.documents import IMAGE_SIZE, document, ref

NULL = {"type": "null"}
SIZES = {"type": "string", "enum": ["square", "wide"]}
PROPERTIES = {
    "prompt": {"type": "string", "minLength": 2, "maxLength": 5},
    "steps": {"type": "integer", "minimum": 1, "maximum": 4},
    "scale": {"type": "number", "exclusiveMinimum": 0, "multipleOf": 0.5},
    "seed": {"anyOf": [{"type": "integer"}, NULL]},
    "size": {"anyOf": [ref("Size"), SIZES]},
    "urls": {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": 2},
    "kind": {"const": "video"},
    "lost": ref("Gone"),
    "loras": {"type": "array", "items": ref("Lora")},
}
LORA = {"type": "object", "properties": {"a/b": {"type": "string"}}, "required": ["a/b"]}


@pytest.fixture(scope="module")
def validator() -> Validator:
    return Validator(document(PROPERTIES, required=("prompt",), Size=IMAGE_SIZE, Lora=LORA))


@pytest.mark.parametrize(
    ("value", "path", "message"),
    [
        ({"prompt": None}, "/prompt", "Must be a text."),
        ({"prompt": "x"}, "/prompt", "Must have 2 characters or more."),
        ({"prompt": "xxxxxx"}, "/prompt", "Must have 5 characters or fewer."),
        ({"steps": 0}, "/steps", "Must be 1 or more."),
        ({"steps": 5}, "/steps", "Must be 4 or less."),
        ({"steps": 1.5}, "/steps", "Must be a whole number."),
        ({"steps": "2"}, "/steps", "Must be a whole number."),
        ({"steps": True}, "/steps", "Must be a whole number."),
        ({"scale": 0}, "/scale", "Must be more than 0."),
        ({"scale": 0.7}, "/scale", "Must be a multiple of 0.5."),
        ({"seed": "a"}, "/seed", "Must be a whole number."),
        ({"size": "huge"}, "/size", 'Must be one of "square", "wide".'),
        ({"size": {"width": "a"}}, "/size/width", "Must be a whole number."),
        ({"size": 7}, "/size", "Must be an object. Or: Must be a text."),
        ({"urls": []}, "/urls", "Must have 1 item or more."),
        ({"urls": ["a", "b", "c"]}, "/urls", "Must have 2 items or fewer."),
        ({"urls": ["a", 7]}, "/urls/1", "Must be a text."),
        ({"kind": "image"}, "/kind", 'Must be "video".'),
        ({"loras": [{}]}, "/loras/0/a~1b", "This field is required."),
    ],
)
def test_a_problem_names_its_place_and_what_is_wanted(
    validator: Validator, value: dict[str, Any], path: str, message: str
) -> None:
    assert validator.problems({"prompt": "okay", **value}) == [InputProblem(path, message)]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"steps": 4, "scale": 1.5, "seed": None, "size": "wide", "urls": ["a"]},
        {"size": {"width": 5, "height": 6}},
        {"lost": [1, {"any": "thing"}]},
        {"unknown": 1},
        {"seed": 9007199254740993},
    ],
)
def test_what_fits_has_no_problem(validator: Validator, value: dict[str, Any]) -> None:
    assert validator.problems({"prompt": "okay", **value}) == []


def test_a_missing_required_field_is_told_at_its_place(validator: Validator) -> None:
    assert validator.problems({}) == [InputProblem("/prompt", "This field is required.")]


@pytest.mark.parametrize("value", [[], 7, "text", None])
def test_an_input_is_an_object(validator: Validator, value: Any) -> None:
    assert validator.problems(value) == [InputProblem("", "Must be an object.")]


@pytest.mark.parametrize(
    "value", [{"seed": 10**400}, {"prompt": "\ud800ab"}, {"seed": float("nan")}]
)
def test_odd_values_are_left_to_fal_or_told(validator: Validator, value: Any) -> None:
    assert isinstance(validator.problems({"prompt": "okay", **value}), list)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 7},
        {"type": "nonsense"},
        {"minimum": "a"},
        {"pattern": "("},
        {"items": 7},
        {"$ref": 7},
    ],
)
def test_a_wrong_schema_judges_nothing(schema: Any) -> None:
    assert Validator(document({"thing": schema})).problems({"thing": "x"}) == []


def test_many_problems_are_told_up_to_a_bound() -> None:
    made = Validator(document({"words": {"type": "array", "items": {"type": "string"}}}))
    assert len(made.problems({"words": list(range(5000))})) == 100
