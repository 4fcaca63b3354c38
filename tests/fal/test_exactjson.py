"""JSON for showing: every literal as it was written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.exactjson import Members, Number, compact, laid_out, parse_exact, write
from requests_app.fal.jsontext import NotJson

# Literals that Python's own parser changes.
NUMBERS = [
    "7.50", "1E2", "1e+02", "0.1000000000000000055", "9007199254740993", "-0", "-0.0", "1.0",
    "1e400", "5e-400", "123456789012345678901234567890", "9" * 5000, "NaN", "-Infinity",
]  # fmt: skip


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number[:30])
def test_a_number_keeps_its_digits(number: str) -> None:
    text = f'{{\n  "a": [\n    {number}\n  ]\n}}'
    value = parse_exact(text)
    assert value == Members([("a", [number])])
    assert isinstance(value[0][1][0], Number)
    assert write(value) == text
    assert laid_out(f'{{"a":[{number}]}}') == text
    assert compact(text) == f'{{"a":[{number}]}}'


def test_repeated_names_are_all_kept() -> None:
    text = '{"a": 1, "b": {}, "a": {"c": [], "c": 2}}'
    assert write(parse_exact(text)).split() == laid_out(text).split()
    assert write(parse_exact(text)).count('"a"') == 2


def test_escapes_stay_when_a_text_is_laid_out_and_are_read_when_it_is_shown() -> None:
    text = r'{"\u00e9": "\ud83d\ude00 \/ [1, 2] \" \\"}'
    assert laid_out(text) == text.replace("{", "{\n  ", 1)[:-1] + "\n}"
    assert write(parse_exact(text)) == '{\n  "é": "😀 / [1, 2] \\" \\\\"\n}'


@pytest.mark.parametrize("text", ["", "{", "tru", '{"a":01}', "[" * 100_000, "{} {}", "'a'"])
def test_what_is_no_json_is_told(text: str) -> None:
    with pytest.raises(NotJson):
        parse_exact(text)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(values)
def test_both_ways_lay_out_as_pythons_json_does(value: Any) -> None:
    expected = json.dumps(value, indent=2, ensure_ascii=False)
    assert write(parse_exact(json.dumps(value))) == expected
    assert laid_out(json.dumps(value, ensure_ascii=False)) == expected
    assert compact(expected) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))
