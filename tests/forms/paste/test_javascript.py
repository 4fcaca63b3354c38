"""JavaScript and TypeScript snippets: forms of calls, of literals, and what is not taken."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.forms.paste import Addresses, NotUnderstood, PastedCall, read


def call(text: str) -> PastedCall:
    return read(text, Addresses())


def exact(text: str) -> Any:
    return json.loads(text, parse_int=str, parse_float=str)


@pytest.mark.parametrize(
    ("text", "endpoint", "mode"),
    [
        ('const { request_id } = await fal.queue.submit("acme/app", { input: {} });', "acme/app", "queue"),
        ("fal.run('acme/app', {input: {}})", "acme/app", "run"),
        ("const stream = await fal.stream(`acme/app`, { input: {} });\nfor await (const e of stream) {}",
         "acme/app", "stream"),
        ('const MODEL = "acme/app" as const;\nfal.subscribe<typeof x, Out>(MODEL, { input: {} })', "acme/app", "queue"),
        ('const fal = require("@fal-ai/client");\nfal.subscribe("acme/app", { input: {} }).then(console.log)',
         "acme/app", "queue"),
        ('export default function Page() { const go = async () => { await fal.run("acme/app", {input: {}}); };'
         " return <button onClick={go}>Go</button>; }", "acme/app", "run"),
        ('const options: Options = {input: {}};\nfal.run("acme/app", options)', "acme/app", "run"),
        ('await axios.post("https://fal.run/acme/app", {}, {headers: {Authorization: "Key x"}})', "acme/app", "run"),
    ],
)  # fmt: skip
def test_each_verb_has_its_mode(text: str, endpoint: str, mode: str) -> None:
    found = call(text)
    assert (found.endpoint_id, found.mode, found.input_text, found.notes) == (
        endpoint,
        mode,
        "{}",
        (),
    )


@pytest.mark.parametrize(
    ("literal", "json_text"),
    [
        ("1_000", "1000"), ("0xFF", "255"), ("0b101", "5"), ("-0.50", "-0.50"), ("+3", "3"), (".5", "0.5"), ("5.", "5.0"),
        ("1E400", "1e400"), ("9007199254740993", "9007199254740993"), ("12n", "12"),
        ("'a' + \"b\"", '"ab"'), ("`two\nlines`", '"two\\nlines"'), ("'\\x41\\u{1F600}\\u00e9\\t'", '"A😀é\\t"'),
        ("'\\ud83d\\ude00'", '"😀"'), ("'a\\\nb'", '"ab"'), ("'it\\'s'", '"it\'s"'), ("'\\\\n'", '"\\\\n"'), ("'😀'", '"😀"'),
        ("[1, , 2]", "[1, 2]"), ("[undefined]", "[null]"), ("[]", "[]"), ("null", "null"), ("true", "true"), ("(1)", "1"),
        ("{a: 1, 'b-c': 2, 3: 4}", '{"a": 1, "b-c": 2, "3": 4}'), ("{a: 1, a: 2}", '{"a": 2}'),
        ("{...base, b: 2}", '{"a": 1, "b": 2}'), ("{shared}", '{"shared": [1.50]}'), ("shared", "[1.50]"),
        ("1 as number", "1"), ("'x' satisfies string", '"x"'), ("shared!", "[1.50]"),
        ("{a: undefined, b: 1}", '{"b": 1}'), ("{/* c */ a: 1 // d\n}", '{"a": 1}'),
    ],
)  # fmt: skip
def test_a_literal_is_its_json_digit_for_digit(literal: str, json_text: str) -> None:
    found = call(
        f'const base = {{a: 1}};\nlet shared = [1.50];\nfal.run("acme/app", {{input: {{v: {literal}}}}});'
    )
    assert exact(found.input_text) == {"v": exact(json_text)}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("literal", "why"),
    [
        ("`a ${b}`", "put together"), ("await upload(file)", "computed"), ("unknown", "variable"), ("NaN", "variable"),
        ("process.env.FAL_KEY", "computed"), ("/x/", "computed"), ("[1, x]", "variable"), ("twice", "variable"),
        ("itself", "nested too deeply"), ("'\\ud800'", "half a character"), ("1 + 2", "put together"), ("!true", "computed"),
        ("() => 1", "computed"), ("cond ? 1 : 2", "computed"), ("new Date()", "computed"), ("x?.y", "computed"),
    ],
)  # fmt: skip
def test_what_is_no_literal_is_left_out_with_a_reason(literal: str, why: str) -> None:
    found = call(
        "let twice = 1; twice = 2; const itself = [itself];\n"
        f'fal.run("acme/app", {{input: {{v: {literal}, w: 1}}}})'
    )
    assert exact(found.input_text) == {"w": "1"}
    [note] = found.notes
    assert note.startswith("v was left out: ")
    assert why in note


def test_functions_and_getters_in_the_input_are_named() -> None:
    found = call('fal.run("acme/app", {input: {get x() { return 1 }, ...rest, w: 1}})')
    assert exact(found.input_text) == {"w": "1"}
    assert len(found.notes) == 2


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('x();\nfal.run("acme/app", {input: {a: }});', "line 2"),
        ('fal.realtime.connect("acme/app", { onResult: (r) => r })', "realtime session"),
    ],
)
def test_what_cannot_be_read_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        call(text)


def test_deep_nesting_is_left_out_and_does_not_fail() -> None:
    found = call('fal.run("acme/app", {input: {a: ' + "[" * 3000 + "]" * 3000 + ", b: 1}})")
    assert exact(found.input_text) == {"b": "1"}


@pytest.mark.slow
def test_variables_that_multiply_each_other_are_given_up() -> None:
    lines = ["const v0 = [1];"]
    lines += [f"const v{n} = [{', '.join([f'v{n - 1}'] * 50)}];" for n in range(1, 9)]
    with pytest.raises(NotUnderstood, match="too many values"):
        call("\n".join([*lines, 'fal.run("acme/app", {input: {a: v8}})']))
