"""Every field of every document of the sandbox: a wrong value is refused with its sentence at its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from requests_app.catalogue.document import Document
from requests_app.catalogue.fields import ITEM, MISSING, Field, input_fields, walk
from requests_app.catalogue.kinds import MEDIA, Kind
from requests_app.catalogue.validation import Validator
from requests_app.sandbox.models import ENDPOINTS
from requests_app.sandbox.openapi import document as sandbox_document

TEXTS = {Kind.TEXT, Kind.LONG_TEXT, *MEDIA}
WHOLE = {Kind.INTEGER, Kind.SEED}
OF_A_TYPE = {
    **dict.fromkeys(TEXTS, "Must be a text."),
    **dict.fromkeys(WHOLE, "Must be a whole number."),
    Kind.NUMBER: "Must be a number.",
    Kind.BOOLEAN: "Must be true or false.",
    **dict.fromkeys((Kind.LIST, Kind.CHECKBOXES), "Must be a list."),
    **dict.fromkeys((Kind.OBJECT, Kind.COLOR, Kind.MAP), "Must be an object."),
}


def document_of(endpoint_id: str) -> Document:
    return Document(sandbox_document(ENDPOINTS[endpoint_id], "http://fal.test"))


def wrong_values(field: Field) -> Iterator[tuple[Any, str]]:
    """Values that break one rule of the field, with the sentence for it."""
    if (sentence := OF_A_TYPE.get(field.kind)) is not None:
        yield 7 if sentence in ("Must be a text.", "Must be a list.") else "no such", sentence
        if not field.nullable:
            yield None, sentence
    if field.kind in WHOLE:
        yield 0.5, OF_A_TYPE[field.kind]
    if field.kind is Kind.CHOICE:
        yield "no such", "Must be "
        yield [], "Must be "
    if field.kind in (Kind.CHOICE_OR_OBJECT, Kind.CHOICE_OR_TEXT):
        yield 7, "Must be "
    yield from _beyond_bounds(field)


def _beyond_bounds(field: Field) -> Iterator[tuple[Any, str]]:
    b = field.bounds
    if field.kind in (*WHOLE, Kind.NUMBER):
        if b.minimum is not None:
            least = int(b.minimum) if b.minimum == int(b.minimum) else b.minimum
            words = f"more than {least}" if b.exclusive_minimum else f"{least} or more"
            yield b.minimum - 1, f"Must be {words}"
        if b.maximum is not None:
            yield b.maximum + 1, "Must be "
    if field.kind in TEXTS and b.max_length is not None:
        count = "1 character" if b.max_length == 1 else f"{b.max_length} characters"
        yield "x" * (b.max_length + 1), f"Must have {count} or fewer."
    if field.kind is Kind.LIST and b.max_items is not None:
        yield [None] * (b.max_items + 1), f"Must have {b.max_items} item"


def holding(path: str, value: Any) -> tuple[Any, str]:
    """An input with the value at the path, whose items are one each; and the value's own pointer."""
    parts = path.split("/")[1:]
    place = "".join(f"/{0 if part == ITEM else part}" for part in parts)
    for part in reversed(parts):
        value = [value] if part == ITEM else {part: value}
    return value, place


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_a_wrong_value_is_refused_at_its_place_with_its_sentence(endpoint_id: str) -> None:
    document = document_of(endpoint_id)
    validator, fields = Validator(document), input_fields(document)
    maps = {field.path for field in walk(fields) if field.kind is Kind.MAP}
    for field in walk(fields):
        if any(field.path.startswith(f"{path}/") for path in maps):
            continue  # a key of one's own choice: below
        for value, sentence in wrong_values(field):
            given, place = holding(field.path, value)
            told = [
                problem.message for problem in validator.problems(given) if problem.path == place
            ]
            assert any(message.startswith(sentence) for message in told), (place, value, told)


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_a_required_field_that_is_missing_is_named(endpoint_id: str) -> None:
    document = document_of(endpoint_id)
    missing = {problem.path for problem in Validator(document).problems({})}
    assert missing == {field.path for field in input_fields(document) if field.required}


@pytest.mark.parametrize("endpoint_id", ENDPOINTS)
def test_its_own_defaults_and_examples_are_valid(endpoint_id: str) -> None:
    document = document_of(endpoint_id)
    validator = Validator(document)
    for field in input_fields(document):
        is_list = field.kind is Kind.CHECKBOXES
        choices = [[choice] if is_list else choice for choice in field.choices]
        for value in (field.default, field.example, *choices):
            if value is not MISSING:
                found = [problem.path for problem in validator.problems({field.name: value})]
                assert not [path for path in found if path.startswith(field.path)], field.path
