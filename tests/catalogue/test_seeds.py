"""Several runs of one input: which seeds, and that nothing else of the text changes."""

from __future__ import annotations

import json

import pytest

from requests_app.catalogue.fields import Bounds, Field
from requests_app.catalogue.kinds import Kind
from requests_app.catalogue.seeds import LARGEST, NoSeeds, seed_field, seeded_inputs
from requests_app.fal.exactjson import put_member


def seed(name="seed", low=None, high=None, **more):
    return Field(name, f"/{name}", "Seed", Kind.SEED, bounds=Bounds(low, high), **more)


def seeds(field, text, count):
    return [number for number, _ in seeded_inputs(field, text, count)]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ([], None),
        ([Field("steps", "/steps", "Steps", Kind.INTEGER)], None),
        ([Field("steps", "/steps", "Steps", Kind.INTEGER), seed()], "seed"),
        ([seed("texture_seed"), seed()], "seed"),
        ([seed("texture_seed"), seed("noise_seed")], "texture_seed"),
        ([seed(frozen=True)], None),
    ],
    ids=["none", "another number", "one", "the plain name first", "the first", "only by the API"],
)
def test_an_endpoint_s_seed_is_found_by_its_kind(fields, name):
    found = seed_field(fields)
    assert (found and found.name) == name


@pytest.mark.parametrize(
    ("typed", "low", "high", "expected"),
    [
        ("15", None, None, [15, 16, 17]),
        ("0", 0, 100, [0, 1, 2]),
        ("99", 0, 100, [99, 100, 0]),
        ("100", 10, 100, [100, 10, 11]),
        (str(2**40), None, 2**53, [2**40, 2**40 + 1, 2**40 + 2]),
    ],
)
def test_a_typed_seed_is_counted_up_within_its_range(typed, low, high, expected):
    assert seeds(seed(low=low, high=high), f'{{"seed": {typed}}}', 3) == expected


@pytest.mark.parametrize("text", ["{}", '{"seed": null}', '{"seed": -1}', '{"prompt": "x"}'])
def test_without_one_they_are_drawn_and_differ(text):
    drawn = seeds(seed(), text, 16)
    assert len(set(drawn)) == 16
    assert all(0 <= number <= LARGEST for number in drawn)
    assert drawn != seeds(seed(), text, 16)


@pytest.mark.parametrize(
    ("field", "text", "word"),
    [
        (seed(low=0, high=2), "{}", "3 values only"),
        (seed(), '{"seed": "7"}', "whole number"),
        (seed(), '{"seed": 1.5}', "whole number"),
        (seed(), '{"seed": true}', "whole number"),
        (seed(high=9), '{"seed": 10}', "larger than 9"),
    ],
)
def test_what_cannot_be_counted_is_refused_with_its_reason(field, text, word):
    with pytest.raises(NoSeeds, match=word):
        seeded_inputs(field, text, 4)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", '{"seed": 5}'),
        ("{ }", '{"seed": 5 }'),
        ('{"seed":4}', '{"seed":5}'),
        ('{"a": 7.50, "seed": 4, "b": 1E2}', '{"a": 7.50, "seed": 5, "b": 1E2}'),
        ('{"seed": null, "n": 9007199254740993}', '{"seed": 5, "n": 9007199254740993}'),
        ('{"a": {"seed": 1}, "s": "\\u00e9"}', '{"a": {"seed": 1}, "s": "\\u00e9", "seed": 5}'),
        ('{"a": ["seed", {"seed": 1}], "seed": -1}', '{"a": ["seed", {"seed": 1}], "seed": 5}'),
        ('{"seed": {"of": [1]}, "x": "seed"}', '{"seed": 5, "x": "seed"}'),
        ('{"x": "seed"}', '{"x": "seed", "seed": 5}'),
        ('{"s\\u0065ed": 1}', '{"s\\u0065ed": 5}'),
        ('{\n  "prompt": "a, b: {"\n}', '{\n  "prompt": "a, b: {", "seed": 5\n}'),
    ],
)
def test_only_the_seed_changes_in_the_text(text, expected):
    assert put_member(text, "seed", "5") == expected
    assert json.loads(expected)["seed"] == 5
