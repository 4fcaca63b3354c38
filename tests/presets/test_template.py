"""Variables in an input: where they are, what they become, and that nothing else changes."""

from __future__ import annotations

import json

import pytest

from requests_app.presets.template import (
    AS_JSON,
    LEFT_OUT,
    MOST_VARIABLES,
    InvalidTemplate,
    NoValue,
    Template,
    text_of,
    token_of,
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('{"prompt": "a {{subject}} at {{time}}"}', ("subject", "time")),
        ('{"a": "{{ x }}", "b": ["{{y}}", {"c": "{{x}}"}]}', ("x", "y")),
        ('{"a": "{{caf\\u00e9}}"}', ("café",)),
        ('{"a": "\\u007b{x}}"}', ("x",)),
        ('{"a": "{{x.y}} {{x-y}} {{1}}"}', ("x.y", "x-y", "1")),
        ('{"a": "{x} {{}} {{a b}} {{#if}} }}x{{"}', ()),
        ('{"a": 7.50, "b": [], "c": {}}', ()),
        ("{}", ()),
    ],
)
def test_the_variables_of_an_input_are_named_in_their_order(text: str, names: tuple[str, ...]):
    assert Template(text).names == names


@pytest.mark.parametrize(
    ("text", "values", "filled"),
    [
        # a whole string: the value takes its place, letter for letter
        ('{"seed": "{{s}}"}', {"s": "9007199254740993"}, '{"seed": 9007199254740993}'),
        ('{"seed": "{{s}}"}', {"s": "1.50"}, '{"seed": 1.50}'),
        ('{"size": "{{s}}"}', {"s": '{"width":5E2}'}, '{"size": {"width":5E2}}'),
        ('{"p": "{{s}}"}', {"s": '"a \\u00e9"'}, '{"p": "a \\u00e9"}'),
        # inside a string: text, escaped
        ('{"p": "a {{s}}!"}', {"s": '"say \\"hi\\"\\n"'}, '{"p": "a say \\"hi\\"\\n!"}'),
        ('{"p": "n={{s}}"}', {"s": "0.1000000000000000055"}, '{"p": "n=0.1000000000000000055"}'),
        ('{"p": "o={{s}}"}', {"s": '{"a":"b"}'}, '{"p": "o={\\"a\\":\\"b\\"}"}'),
        ('{"p": "{{s}}{{s}}"}', {"s": '"\\ud800"'}, '{"p": "\\ud800\\ud800"}'),
        ('{"p": "\\\\{{s}}\\""}', {"s": '"x"'}, '{"p": "\\\\x\\""}'),
        # a value that looks like a variable stays a value
        ('{"p": "a {{s}}"}', {"s": '"{{s}} {{t}}"'}, '{"p": "a {{s}} {{t}}"}'),
        # what has no variable stays as it was written
        ('{"n":7.50,  "p": "{{s}}","e":"\\u00e9"}', {"s": "1"}, '{"n": 7.50, "p": 1, "e": "\\u00e9"}'),
        ('{"a": ["{{s}}", [1.0,  2]]}', {"s": "null"}, '{"a": [null, [1.0,  2]]}'),
        # without a value the member or item is left out
        ('{"a": "{{s}}", "b": 1}', {"s": ""}, '{"b": 1}'),
        ('{"b": 1, "a": "{{s}}"}', {}, '{"b": 1}'),
        ('{"a": ["{{s}}", 1]}', {}, '{"a": [1]}'),
        ('{"a": "{{s}}"}', {}, "{}"),
    ],
)  # fmt: skip
def test_values_are_put_in_exactly(text: str, values: dict[str, str], filled: str):
    found = Template(text).fill(values)
    assert found == filled
    json.loads(found)


def test_a_value_may_be_read_as_the_json_that_its_text_spells_or_be_left_out():
    template = Template('{"seed": "{{s}}", "p": "{{s}}", "q": "{{s}}"}')
    assert template.fill({"s": '"7.50"'}, AS_JSON) == '{"seed": 7.50, "p": "7.50", "q": "7.50"}'
    assert template.fill({"s": '""'}, f"t{LEFT_OUT}") == '{"seed": "", "q": ""}'


def test_a_text_with_a_variable_needs_its_value():
    with pytest.raises(NoValue, match=r"\{\{s\}\}"):
        Template('{"p": "a {{s}}"}').fill({})


def test_a_variable_in_a_name_is_refused():
    with pytest.raises(InvalidTemplate, match="in a name"):
        Template('{"{{s}}": 1}')


def test_variables_are_bounded():
    many = json.dumps({"a": [f"{{{{v{n}}}}}" for n in range(MOST_VARIABLES + 1)]})
    with pytest.raises(InvalidTemplate, match="at most"):
        Template(many)


@pytest.mark.parametrize(
    ("path", "name"),
    [("/a", "x"), ("/a/b", "x"), ("/c~1d/0", "y"), ("/c~1d", None), ("/ab", None), ("", None)],
)
def test_a_place_in_the_input_is_traced_to_its_variable(path: str, name: str | None):
    assert Template('{"a": "{{x}}", "c/d": ["the {{y}}"]}').name_at(path) == name


@pytest.mark.parametrize("text", ["", "a", '"', "\\", "\n\t\0", "é😀", "\ud800", "{{x}}", "1e5"])
def test_a_text_survives_as_a_token(text: str):
    assert text_of(token_of(text)) == text
    token_of(text).encode()
