"""Python snippets: forms of calls, of literals, and what is not taken."""

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
        ('fal_client.submit("acme/app", arguments={})', "acme/app", "queue"),
        ('fal_client.run("acme/app", {})', "acme/app", "run"),
        ('handler = await fal_client.submit_async("acme/app", arguments={})', "acme/app", "queue"),
        ('for event in fal_client.stream("acme/app", arguments={}):\n    print(event)', "acme/app", "stream"),
        ('async def main():\n    async for e in fal_client.stream_async("acme/app", arguments={}): ...',
         "acme/app", "stream"),
        ('client = fal_client.SyncClient(key="x")\nclient.subscribe("acme/app", {})', "acme/app", "queue"),
        ('from fal_client import run\nrun(application="acme/app", arguments={})', "acme/app", "run"),
        ('MODEL = "acme/app"\nfal_client.run(MODEL, arguments={})', "acme/app", "run"),
        ('fal_client.run("acme/app", arguments={}, path="/fast")', "acme/app/fast", "run"),
        ('fal_client.stream("acme/app", arguments={}, path="/stream")', "acme/app", "stream"),
        ('    fal_client.run("acme/app",\n        arguments={})', "acme/app", "run"),
        ('>>> fal_client.run("acme/app",\n...     arguments={})', "acme/app", "run"),
        ('!pip install fal-client\nimport fal_client\nfal_client.run("acme/app", arguments={})', "acme/app", "run"),
        ('httpx.post("https://fal.run/acme/app/stream", json={})', "acme/app", "stream"),
        ('requests.request("POST", "https://queue.fal.run/acme/app", data=json.dumps({}))', "acme/app", "queue"),
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
        ("1_000", "1000"), ("0xFF", "255"), ("0b101", "5"), ("-0", "-0"), ("+3", "3"), ("--4", "4"), ("7.50", "7.50"),
        (".5", "0.5"), ("5.", "5.0"), ("1E400", "1e400"), ("1_0.0_1e+5", "10.01e+5"),
        ("9007199254740993", "9007199254740993"), ("0.1000000000000000055511151231257827", "0.1000000000000000055511151231257827"),
        ('"a" "b"', '"ab"'), ('"a" + "b"', '"ab"'), ('f"plain"', '"plain"'), ('r"\\n"', '"\\\\n"'),
        ('"""two\nlines"""', '"two\\nlines"'), ('"\\N{BULLET}"', '"•"'), ('"\\0"', '"\\u0000"'), ('"😀"', '"😀"'),
        ("(1, 2)", "[1, 2]"), ("[]", "[]"), ("{}", "{}"), ("None", "null"), ("True", "true"),
        ("dict(a=1, b=2)", '{"a": 1, "b": 2}'), ('{"a": 1, "a": 2}', '{"a": 2}'), ("{**base, 'b': 2}", '{"a": 1, "b": 2}'),
        ("shared", "[1.50]"),
    ],
)  # fmt: skip
def test_a_literal_is_its_json_digit_for_digit(literal: str, json_text: str) -> None:
    found = call(
        f'base = {{"a": 1}}\nshared: list = [1.50]\nfal_client.run("acme/app", arguments={{"v": {literal}}})'
    )
    assert exact(found.input_text) == {"v": exact(json_text)}
    assert found.notes == ()


@pytest.mark.parametrize(
    ("literal", "why"),
    [
        ('f"a {b}"', "put together"), ("open('x').read()", "computed"), ("unknown", "variable"), ("1j", "nothing like it"),
        ("b'x'", "nothing like it"), ("{1, 2}", "computed"), ("...", "nothing like it"), ("[1, x]", "variable"),
        ("twice", "variable"), ("itself", "nested too deeply"), ("'\\ud800'", "half a character"), ("1 + 2", "put together"),
        ("os.environ['FAL_KEY']", "computed"), ("not True", "computed"),
    ],
)  # fmt: skip
def test_what_is_no_literal_is_left_out_with_a_reason(literal: str, why: str) -> None:
    found = call(
        f'twice = 1\ntwice = 2\nitself = [itself]\nfal_client.run("acme/app", arguments={{"v": {literal}, "w": 1}})'
    )
    assert exact(found.input_text) == {"w": "1"}
    [note] = found.notes
    assert note.startswith("v was left out: ")
    assert why in note


def test_arguments_that_are_no_literal_leave_the_endpoint() -> None:
    found = call('fal_client.run("acme/app", arguments=make())')
    assert (found.endpoint_id, found.input_text) == ("acme/app", "")
    assert found.notes == ("The input was left out: it is computed by the program.",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('import fal_client\nfal_client.run("acme/app", arguments={', "line 2"),
        ('fal_client.realtime("acme/app")', "realtime session"),
        (
            'import fal_client\nfal_client.run("acme/app", arguments={"a": '
            + "[" * 5000
            + "]" * 5000
            + "})",
            "cannot be read",
        ),
        (
            "import fal_client\nfal_client.run('acme/app', {'a': " + "9" * 5000 + "})",
            "cannot be read",
        ),
    ],
)
def test_what_cannot_be_read_is_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(NotUnderstood, match=sentence):
        call(text)


@pytest.mark.slow
def test_variables_that_multiply_each_other_are_given_up() -> None:
    lines = ["v0 = [1]"] + [f"v{n} = [{', '.join([f'v{n - 1}'] * 50)}]" for n in range(1, 9)]
    with pytest.raises(NotUnderstood, match="too many values"):
        call("\n".join([*lines, 'fal_client.run("acme/app", {"a": v8})']))


def test_nothing_of_the_text_is_run(tmp_path: Any) -> None:
    place = tmp_path / "made"
    text = (
        f'open({str(place)!r}, "w")\nfal_client.run("acme/app", {{"a": open({str(place)!r}, "w")}})'
    )
    assert call(text).endpoint_id == "acme/app"
    assert not place.exists()
