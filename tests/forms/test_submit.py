"""Fields -> one draft, every error at its field."""

from __future__ import annotations

import json

import pytest

from requests_app.forms.submit import SubmitForm, indented, new_token, values_of
from requests_app.models import FalRequest


def filled(**fields: object) -> SubmitForm:
    values = {
        "token": new_token(), "endpoint_id": "acme/img", "mode": "queue", "input": '{"prompt": "x"}',
    }  # fmt: skip
    return SubmitForm({**values, **fields})


def test_a_filled_in_form_is_a_draft():
    form = filled(
        mode="stream", priority="low", start_timeout="30", no_retry="on", store_io="no",
        runner_hint="a-b", headers="x-fal-tags: a=b\n\nX-Own:  1 ",
    )  # fmt: skip
    assert form.is_valid(), form.errors
    assert (form.draft.endpoint_id, form.draft.mode) == ("acme/img", "stream")
    assert json.loads(form.draft.input_text) == {"prompt": "x"}
    assert form.draft.options == {
        "priority": "low",
        "start_timeout": 30.0,
        "no_retry": True,
        "store_io": False,
        "runner_hint": "a-b",
        "tags": "a=b",
        "headers": {"x-own": "1"},
    }


def test_options_left_alone_are_not_sent():
    form = filled(priority="normal")
    assert form.is_valid()
    assert form.draft.options == {}


def test_no_input_is_an_empty_object():
    form = filled(input="  ")
    assert form.is_valid()
    assert form.draft.input_text == "{}"


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("endpoint_id", "", "Give the endpoint id"),
        ("endpoint_id", "https://fal.run/acme/img", "not a web address"),
        ("endpoint_id", "acme\0/img", "Null characters"),
        ("endpoint_id", "acme/img\u2028", "LINE SEPARATOR (U+2028)"),
        ("endpoint_id", "\u00a0acme/img", "NO-BREAK SPACE (U+00A0)"),
        ("endpoint_id", "acme/x/requests/abc/cancel", "no endpoint id"),
        ("mode", "realtime", "valid choice"),
        ("input", '{"a": tru}', "line 1, column 7"),
        ("input", '{\r\n  "a": 1,\r\nb}', "line 3, column 1"),
        ("input", "[1]", "JSON object"),
        ("input", '{"a": NaN}', "NaN"),
        ("priority", "high", "valid choice"),
        ("start_timeout", "soon", "number of seconds"),
        ("start_timeout", "0.05", "0.1"),
        ("start_timeout", "nan", "number"),
        ("runner_hint", "ü", "ASCII"),
        ("headers", "x-fal-tags", "Line 1: write it as name: value."),
        ("headers", "x_a: b", "a name holds"),
        ("headers", "x-fal-no-retry: 0", "leave it out"),
        ("max_queue_length", "ten", "whole number"),
        ("tags", "Team=a", "key=value"),
        ("retry_config", "{", "JSON object"),
        ("store_io", "perhaps", "valid choice"),
        ("headers", "authorization: Key x", "cannot be set"),
        ("headers", "x-a: 1\nX-A: 2", "Line 2: X-A is given twice."),
        ("headers", "x-a: b\x0bc", "x-a"),
        ("token", "", "renewed"),
        ("token", "guess", "renewed"),
    ],
)
def test_what_is_wrong_stands_at_its_field(field, value, words):
    form = filled(**{field: value})
    assert not form.is_valid()
    assert list(form.errors) == [field]
    assert words in form.errors[field][0]


def test_all_errors_are_told_at_once():
    form = filled(endpoint_id="x", input="{", start_timeout="soon", headers="a")
    assert not form.is_valid()
    assert set(form.errors) == {"endpoint_id", "input", "start_timeout", "headers"}


def test_the_options_stand_open_only_when_one_is_set_or_wrong():
    assert not SubmitForm(initial={"priority": "normal"}).options_open
    assert not filled().options_open
    assert SubmitForm(initial={"no_retry": True}).options_open
    assert SubmitForm(initial={"priority": "low"}).options_open
    assert filled(headers="wrong").options_open


def test_the_same_values_have_the_same_digest_and_others_another():
    one, same = filled(headers="x-a: 1\nx-b: 2"), filled(headers="x-b: 2\nx-a: 1")
    other = filled(headers="x-a: 1\nx-b: 2", input='{"prompt": "y"}')
    assert all(form.is_valid() for form in (one, same, other))
    assert one.digest() == same.digest() != other.digest()


def test_an_earlier_request_fills_the_form_so_that_it_says_the_same():
    first = filled(priority="low", start_timeout="2.5", store_io="no", headers="x-a: 1")
    assert first.is_valid()
    row = FalRequest(
        endpoint_id="acme/img", mode="queue", input_text=first.draft.input_text,
        options=first.draft.options,
    )  # fmt: skip
    again = SubmitForm({**values_of(row), "token": new_token(), "again_of": ""})
    assert again.is_valid(), again.errors
    assert again.draft == first.draft


@pytest.mark.parametrize(
    "typed",
    [
        '{"a": 7.50, "b": [1E2, 9007199254740993]}',
        '{\n"a":0.1000000000000000055\n}',
        '{"prompt": "' + "long " * 40 + '\\u00e9", "seed": 12345678901234567890, "f": 7.50}',
    ],
)
def test_running_again_sends_the_same_digits_and_escapes(typed):
    row = FalRequest(endpoint_id="acme/img", mode="queue", input_text=typed, options={})
    again = SubmitForm({**values_of(row), "token": new_token(), "again_of": ""})
    assert again.is_valid(), again.errors
    sent = again.draft.input_text
    assert sent.replace(" ", "").replace("\n", "") == typed.replace(" ", "").replace("\n", "")
    assert sent == typed or "\n" not in typed  # a long line alone is laid out


def test_text_that_is_no_json_is_not_touched():
    assert indented("{oops") == "{oops"
    assert indented('{"a":{"b":1}}') == '{\n  "a": {\n    "b": 1\n  }\n}'


def test_a_header_that_contradicts_an_option_is_told_with_both_names():
    form = filled(priority="low", headers="X-Fal-Queue-Priority: normal")
    assert not form.is_valid()
    [sentence] = form.errors["headers"]
    assert "x-fal-queue-priority" in sentence
    assert "option priority" in sentence


@pytest.mark.parametrize("mode", ["run", "stream"])
def test_a_parameter_of_the_submit_is_refused_where_there_is_no_queue(mode):
    form = filled(mode=mode, max_queue_length="5")
    assert not form.is_valid()
    assert list(form.errors) == ["max_queue_length"]
