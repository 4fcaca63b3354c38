"""Each row is filled in and checked: how values are read, what is refused, and where."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from requests_app.batches import checking
from requests_app.batches.checking import Checked, check
from requests_app.batches.checking import filled as filled_rows
from requests_app.batches.sheet import BadSheet, read_csv, read_jsonl
from requests_app.catalogue.document import parse_document
from requests_app.catalogue.validation import Validator
from requests_app.presets.template import Template

FIELDS: dict[str, Any] = {
    "prompt": {"type": "string", "minLength": 1},
    "seed": {"type": "integer", "minimum": 0},
    "scale": {"type": "number"},
    "hd": {"type": "boolean"},
    "count": {"enum": ["1", "2"]},
    "steps": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    "size": {
        "anyOf": [
            {"enum": ["square", "wide"]},
            {"type": "object", "required": ["width"], "properties": {"width": {"type": "integer"}}},
        ]
    },
    "tags": {"type": "array", "items": {"type": "string"}},
}


def validator(required: tuple[str, ...] = ("prompt",)) -> Validator:
    schema = {"type": "object", "properties": FIELDS, "required": list(required)}
    body = {"content": {"application/json": {"schema": schema}}}
    return Validator(
        parse_document(json.dumps({"paths": {"/": {"post": {"requestBody": body}}}}).encode())
    )


def checked(input: dict[str, Any], csv: str, judge: Validator | None = None) -> Checked:
    return check(read_csv(io.BytesIO(csv.encode())), template(input), judge)


def template(input: dict[str, Any]) -> Template:
    return Template(json.dumps({"prompt": "x"} | input))


def filled(input: dict[str, Any], csv: str, judge: Validator | None = None) -> list[str]:
    found = checked(input, csv, judge)
    assert found.problems == []
    return list(filled_rows(found.columns, found.rows, template(input)))


@pytest.mark.parametrize(
    ("field", "cell", "sent"),
    [
        ("prompt", "42", '"42"'),  # the schema takes a text
        ("prompt", "true", '"true"'),
        ("seed", "9007199254740993", "9007199254740993"),
        ("scale", "7.50", "7.50"),
        ("hd", "false", "false"),
        ("count", "2", '"2"'),  # digits as a choice
        ("steps", "null", "null"),
        ("steps", "30", "30"),
        ("size", "square", '"square"'),
        ("size", '"{""width"": 512}"', '{"width": 512}'),
        ("tags", '"[""a"", ""b""]"', '["a", "b"]'),
        ("seed", '""', None),  # nothing: left out
    ],
)
def test_a_value_is_sent_as_the_type_the_schema_wants(field: str, cell: str, sent: str | None):
    [text] = filled({field: "{{v}}"}, f"v\n{cell}\n", validator())
    members = [] if sent is None else [f'"{field}": {sent}']
    assert text == "{" + ", ".join(['"prompt": "x"'] * (field != "prompt") + members) + "}"


@pytest.mark.parametrize(
    ("cell", "sent"),
    [
        ("a cat", '"a cat"'), ("7.50", "7.50"), ("true", "true"), ("null", "null"), ("", '""'),
        ("007", '"007"'), ("NaN", '"NaN"'), ("1e999", '"1e999"'), (" 1", '" 1"'), ("-", '"-"'),
    ],
)  # fmt: skip
def test_without_a_schema_a_value_is_sent_as_what_it_spells(cell: str, sent: str):
    [text] = filled({"a": "{{v}}", "b": "n={{v}}"}, f'v\n"{cell}"\n')
    assert text == f'{{"prompt": "x", "a": {sent}, "b": {json.dumps(f"n={cell}")}}}'


@pytest.mark.parametrize(
    ("input", "csv", "problem"),
    [
        ({"seed": "{{s}}"}, "s\n1\nmany\n", "Row 2 (line 3), column s: Must be a whole number."),
        ({"seed": "{{s}}"}, "s\n-1\n", "Row 1 (line 2), column s: Must be 0 or more."),
        ({"seed": "{{s}}"}, "s\n1.5\n", "column s: Must be a whole number."),
        ({"prompt": "{{p}}"}, 'p\n""\n', "column p: This field is required."),
        ({"count": "{{c}}"}, "c\n3\n", 'column c: Must be one of "1", "2".'),
        ({"hd": "{{h}}"}, "h\nyes\n", "column h: Must be true or false."),
        ({"size": {"width": "{{w}}"}}, "w\nwide\n", "column w: Must be"),
        ({"size": {"width": "{{w}}"}}, 'w\n""\n', "column w: "),
        ({"seed": "x", "prompt": "{{p}}"}, "p\na\n", "The input at /seed: Must be a whole number."),
        ({"tags": ["{{t}}", 3]}, "t\na\n", "The input at /tags/1: Must be a text."),
    ],
)
def test_a_bad_row_is_named_with_its_column(input: dict[str, Any], csv: str, problem: str):
    found = checked(input, csv, validator())
    assert len(found.problems) == found.count_of_problems == 1
    assert problem in str(found.problems[0])


def test_all_bad_rows_are_counted_and_the_first_are_told():
    rows = "".join(f"{'x' if number % 2 else number}\n" for number in range(100))
    found = checked({"seed": "{{s}}"}, f"s\n{rows}", validator())
    assert (len(found.problems), found.count_of_problems) == (checking.MOST_TOLD, 50)


@pytest.mark.parametrize(
    ("input", "csv", "sentence"),
    [
        ({"a": "{{s}} {{t}}"}, "s\n1\n", "no column for the variable t. The columns are: s."),
        ({"a": "plain"}, "s\n1\n", "has no variables"),
        ({"a": "{{s}}"}, "s\n", "no rows"),
        ({"a": "{{s}}"}, "s\n" + "1\n" * 20_001, "more than 20,000 rows"),
    ],
)
def test_a_sheet_that_does_not_fit_the_input_is_refused(input: Any, csv: str, sentence: str):
    with pytest.raises(BadSheet, match=sentence):
        checked(input, csv, validator())


def test_columns_that_are_no_variable_are_kept_and_named():
    found = checked({"a": "{{s}}"}, "id,s\n7,x\n")
    assert (found.unused, found.rows) == (["id"], [('"7"\n"x"', "")])


def jsonl(input: dict[str, Any], text: str, judge: Validator | None = None) -> Checked:
    return check(read_jsonl(io.BytesIO(text.encode())), template(input), judge)


def test_typed_values_are_sent_as_they_are_and_a_missing_one_is_left_out():
    lines = '{"s": 1.50}\n{"t": 2, "s": "1"}\n{"t": null}\n'
    found = jsonl({"a": "{{s}}", "b": "{{t}}"}, lines)
    sent = list(filled_rows(found.columns, found.rows, template({"a": "{{s}}", "b": "{{t}}"})))
    assert [json.loads(text) for text in sent] == [
        {"prompt": "x", "a": 1.5}, {"prompt": "x", "a": "1", "b": 2}, {"prompt": "x", "b": None},
    ]  # fmt: skip
    assert '"a": 1.50' in sent[0]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ('{"s": "1"}', "Row 1 (line 1), column s: Must be a whole number."),
        ('{"s": 1', "Row 1 (line 1): Not JSON"),
        ('{"x": 1}', "There is no column for the variable s"),
    ],
)
def test_a_bad_typed_row_is_named(line: str, problem: str):
    try:
        told = str(jsonl({"seed": "{{s}}"}, line, validator()).problems[0])
    except BadSheet as error:
        told = str(error)
    assert problem in told


def test_a_text_needs_a_value_for_its_variable():
    found = jsonl({"prompt": "a {{s}}"}, '{"s": "x"}\n{"t": 1}\n')
    assert str(found.problems[0]).startswith("Row 2 (line 2), column s: There is no value")


def test_an_input_too_large_for_so_many_rows_is_refused_before_they_are_read():
    large = {"a": "{{v}}", "b": "x" * 1_000_000}
    with pytest.raises(BadSheet, match="Make several batches"):
        checked(large, "v\n" + "1\n" * 140)
