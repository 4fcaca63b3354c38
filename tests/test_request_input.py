"""What may be sent: every mistake is told at once, at its place, and nothing odd gets through."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app import request_input
from requests_app.request_input import (
    MAX_DEPTH,
    Draft,
    InvalidDraft,
    InvalidInput,
    input_text,
    parse_draft,
    parse_session,
)


def parse(**changed: Any) -> Draft:
    given: dict[str, Any] = {
        "endpoint_id": "fal-ai/flux/dev", "mode": "queue", "input": '{"a": 1}', "options": {},
    }  # fmt: skip
    return parse_draft(**(given | changed))


def errors_of(**changed: Any) -> dict[str, list[str]]:
    with pytest.raises(InvalidDraft) as refused:
        parse(**changed)
    return refused.value.errors


def nested(depth: int) -> str:
    return '{"a":' * depth + "1" + "}" * depth


def test_a_good_draft_is_the_endpoint_the_mode_and_the_json_that_is_sent() -> None:
    draft = parse(endpoint_id="  fal-ai/flux/dev ", input=' {"b": 1,\n"a": "ü"} ')
    assert draft == Draft("fal-ai/flux/dev", "queue", '{"b": 1,\n"a": "ü"}', {})


TYPED = [
    '{"a": 7.50}', '{"a": 1E2}', '{"a":[0.1000000000000000055,-0.0]}', '{"a": 9007199254740993}',
    '{"a": 18446744073709551616}', '{ "b" :1 ,\n\t"a":"\\u00e9\\/" }', '{"a": "\\ud800\\u0000"}',
    '{"é": "日本"}', "{\r\n}", "{ }", '{"a": 1.0, "b": 1e+02, "c": 100000000000000000000.0}',
]  # fmt: skip


@pytest.mark.parametrize("typed", TYPED)
def test_what_is_sent_is_what_was_typed_letter_for_letter(typed: str) -> None:
    assert parse(input=typed).input_text == typed
    assert parse(input=f" \n{typed}\n\n").input_text == typed


@pytest.mark.parametrize("typed", ["{}\u00a0", "\u2003{}", "{}\x0b"])
def test_white_space_that_is_not_jsons_is_not_passed_over(typed: str) -> None:
    assert "line 1" in errors_of(input=typed)["input"][0]


@pytest.mark.parametrize("text", ["", "  \n "])
def test_no_input_is_an_empty_object(text: str) -> None:
    assert parse(input=text).input_text == "{}"


def test_every_mistake_is_told_at_once() -> None:
    options = {"priority": "urgent", "start_timeout": -1, "headers": {"host": "x"}}
    errors = errors_of(endpoint_id="nonsense", mode="later", input="{", options=options)
    assert set(errors) == {"endpoint_id", "mode", "input", *options}
    assert all(sentence.strip() for texts in errors.values() for sentence in texts)


def test_a_session_is_opened_and_not_submitted() -> None:
    assert "mode" in errors_of(mode="realtime")


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("{", 1, 2), ('{"a": 1, b}', 1, 10), ('\n\n  {"a" 1}', 3, 8), ('{"a": 1}\n{', 2, 1),
        ('{"ü": nope}', 1, 7), ('{\r\n"a": }', 2, 6), ("\ufeff{}", 1, 1),
    ],
)  # fmt: skip
def test_broken_json_is_shown_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(InvalidInput) as refused:
        input_text(text)
    assert (refused.value.line, refused.value.column) == (line, column)
    assert f"line {line}, column {column}" in str(refused.value)


@pytest.mark.parametrize("text", ["[]", "1", '"text"', "null", "true"])
def test_anything_but_an_object_is_refused(text: str) -> None:
    assert "JSON object" in errors_of(input=text)["input"][0]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "-1.5E400"])
def test_numbers_that_json_does_not_have_are_refused(number: str) -> None:
    assert "not" in errors_of(input=f'{{"a": {number}}}')["input"][0]


def test_the_same_name_twice_is_refused_at_any_depth() -> None:
    assert "'b'" in errors_of(input='{"a": [{"b": 1, "b": 2}]}')["input"][0]


def test_too_many_digits_are_refused() -> None:
    assert "digits" in errors_of(input='{"a": ' + "9" * 5000 + "}")["input"][0]


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 500, 100_000])
def test_too_deep_nesting_is_refused(depth: int) -> None:
    assert "deeper" in errors_of(input=nested(depth))["input"][0]


def test_the_deepest_nesting_that_is_allowed_passes() -> None:
    assert parse(input=nested(MAX_DEPTH - 1))


def test_the_size_limit_counts_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_input, "MAX_INPUT_BYTES", 100)
    fits, too_large = {"a": "x" * 90}, {"a": "ü" * 60}
    assert parse(input=json.dumps(fits))
    assert "larger" in errors_of(input=json.dumps(too_large, ensure_ascii=False))["input"][0]


def test_half_a_surrogate_travels_as_an_escape() -> None:
    assert parse(input='{"a": "\\ud800"}').input_text == '{"a": "\\ud800"}'


def test_options_that_say_nothing_are_left_out() -> None:
    options = {"priority": "", "headers": {}, "start_timeout": None, "no_retry": False}
    assert parse(options=options).options == {"no_retry": False}


def test_an_unknown_option_is_refused_by_name() -> None:
    assert "surprise" in errors_of(options={"surprise": 1})


def test_headers_that_are_too_much_together_are_refused() -> None:
    headers = {f"x-own-{number}": "v" * 1000 for number in range(9)}
    assert errors_of(options={"headers": headers})


values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)  # fmt: skip


@given(st.dictionaries(st.text(), values, max_size=5))
def test_what_is_sent_means_what_was_given(value: dict[str, Any]) -> None:
    text = input_text(json.dumps(value, ensure_ascii=bool(len(value) % 2)))
    assert json.loads(text) == value
    assert input_text(text) == text
    text.encode()


@given(st.text())
def test_any_text_is_either_an_object_or_a_clear_error(text: str) -> None:
    try:
        assert isinstance(json.loads(input_text(text)), dict)
    except InvalidInput as refused:
        assert str(refused)


# --- a realtime session


def session(**changed: Any) -> Draft:
    given: dict[str, Any] = {
        "endpoint_id": "acme/live", "path": "/realtime", "max_buffering": None, "auth": "token",
    }  # fmt: skip
    return parse_session(**(given | changed))


def test_a_session_is_a_draft_whose_options_say_how_to_connect() -> None:
    draft = session(endpoint_id=" acme/live ", path="live/v2/", max_buffering=60, auth="key")
    options = {"path": "/live/v2", "max_buffering": 60, "auth": "key"}
    assert draft == Draft("acme/live", "realtime", "{}", options)


def test_every_mistake_of_a_session_is_told_at_once() -> None:
    with pytest.raises(InvalidDraft) as refused:
        session(endpoint_id="x", path="../x", max_buffering=0, auth="none")
    assert set(refused.value.errors) == {"endpoint_id", "path", "max_buffering", "auth"}


@pytest.mark.parametrize("wrong", [61, -1, True, 1.5, "5", [5]])
def test_max_buffering_is_a_whole_number_in_its_range(wrong: Any) -> None:
    with pytest.raises(InvalidDraft) as refused:
        session(max_buffering=wrong)
    assert set(refused.value.errors) == {"max_buffering"}
