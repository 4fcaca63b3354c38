"""Which failures are alike: a table of sentences and what is left of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.error_bodies import parse_error
from requests_app.rules.error_sentence import (
    LONGEST,
    fields_sentence,
    id_of,
    key_in,
    key_of,
    normalised,
)

SENTENCES = {
    "": "",
    "   \n\t": "",
    "12345": "<n>",
    "٣٤٥": "<n>",
    "Field required": "Field required",
    "Input 'a fox' exceeds 512 tokens (request 0f3a9c21-1111-2222-3333-444455556666)": (
        "Input <text> exceeds <n> tokens (request <id>)"
    ),
    "images[3].url: cannot load https://example.com/x.png?token=abc": "images[*].url: cannot load <url>",
    "(see https://example.com/a, or http://b): gone": "(see <url>, or <url>): gone",
    "loras.0.path: Field required": "loras.*.path: Field required",
    # A code says what went wrong: it stays.
    "fal answered with HTTP 502.": "fal answered with HTTP 502.",
    "Invalid status code: 422": "Invalid status code: 422",
    "Timed out after 30.5s at 2026-11-30T05:12:33.123Z": "Timed out after <n>s at <time>",
    "due at 12:30": "due at <time>",
    "No such file or directory: /tmp/tmpab12/x.png": "No such file or directory: <path>",
    r"cannot open C:\Users\me\x.png": "cannot open <path>",
    "CUDA out of memory. Tried to allocate 2.50 GiB (GPU 0)": (
        "CUDA out of memory. Tried to allocate <n> GiB (GPU <n>)"
    ),
    "Can't load the user's file": "Can't load the user's file",
    'permitted: "a", "b", "c"': "permitted: <text>",
    "expected one of 'a', 'b' or 'c'": "expected one of <text>",
    "“a fox” and «un renard»": "<text>",
    "512x768 is not 1024\u00d71024": "<n> is not <n>",
    "max 1,000,000 tokens, got -3e10": "max <n> tokens, got <n>",
    "req_8f7a9b21c0 failed on gpu-a100-17": "<id> failed on gpu-a100-<n>",
    "connection to 10.0.0.1:8080 refused by bob@example.com": "connection to <host> refused by <mail>",
    # Names are no values, though there are digits in them.
    "model fal-ai/flux/dev not found": "model fal-ai/flux/dev not found",
    "sd3 needs an H100": "sd3 needs an H100",
    "pointer 0xdeadbeef of cafe1234": "pointer <id> of <id>",
    "日本語のエラー 42 件": "日本語のエラー <n> 件",
    "a\x00b\x01c\u200bd\u202e": "a b c d",
    "\ud800 half a pair": "� half a pair",
    "data:image/png;base64," + "A" * 1_000_000: "<url>",
    "1" * 1_000_000: "<n>",
    '{"code": 17, "msg": "worker 3 died", "at": {"x": [1, 2, 3]}}': (
        "code: <n>, msg: worker <n> died, at: x: <n>"
    ),
    "[1, 2, 3]": "<n>",
    "{}": "",
    '{"broken": ': "{<text>:",
}  # fmt: skip


def test_what_differs_from_run_to_run_is_left_out():
    assert {text: normalised(text) for text in SENTENCES} == SENTENCES


ENDLESS = ["x" * 1_000_000, '"' * 1_000_000, "'a" * 500_000, "[" * 1_000_000, "{" * 1_000_000, "/a" * 500_000,
           "a." * 500_000, "a-1" * 300_000, "1:" * 500_000, "a@" * 500_000, "<n> " * 300_000, "\x00" * 1_000_000]  # fmt: skip


def test_a_megabyte_of_anything_becomes_a_bounded_line():
    for text in ENDLESS:
        assert len(normalised(text)) <= LONGEST, text[:10]


@given(st.text(max_size=400))
def test_any_text_becomes_one_line_that_every_database_stores(text: str):
    line = normalised(text)
    assert len(line) <= LONGEST
    assert not any(letter < " " for letter in line)
    line.encode()


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_two_runs_that_differ_by_a_number_are_alike(one: int, other: int):
    told = "Worker {} gave up after {} s"
    assert normalised(told.format(one, other)) == normalised(told.format(other, one))


FIELDS = {
    b'{"detail":[{"loc":["body","prompt"],"msg":"Field required","type":"missing"}]}': "prompt: missing",
    b'{"detail":[{"loc":["body","images",3,"url"],"msg":"Bad URL x","type":"url_parsing","input":"x"},'
    b'{"loc":["body","images",4,"url"],"msg":"Bad URL y","type":"url_parsing","input":"y"}]}': (
        "images[*].url: url_parsing"
    ),
    b'{"detail":[{"loc":["body"],"msg":"no","type":"bad"}]}': "the whole input: bad",
    b'{"detail":[{"loc":["body","b"],"msg":"m","type":"t"},{"loc":["body","a"],"msg":"m","type":"t"}]}': (
        "a: t; b: t"
    ),
    # Without a type the sentence has to do.
    b'{"detail":[{"loc":["body","prompt"],"msg":"Field required"}]}': "",
    b'{"detail": "no fields here"}': "",
    b"": "",
}  # fmt: skip


def test_refused_fields_are_alike_by_place_and_type_whatever_their_values():
    told = {body: fields_sentence(parse_error(422, {}, body).fields) for body in FIELDS}
    assert told == FIELDS


def test_a_key_differs_with_each_part_and_is_the_same_for_ever():
    parts = (1, "acme/img", "refused", "no")
    others = [
        (2, *parts[1:]),
        (1, "acme/vid", *parts[2:]),
        (*parts[:2], "gone", "no"),
        (*parts[:3], "yes"),
    ]
    keys = {key_of(*one) for one in [parts, *others]}
    assert len(keys) == 5
    assert key_of(*parts) == key_in("f2e97cd277bd600e")
    assert all(-(2**63) <= key < 2**63 for key in keys)


@pytest.mark.parametrize("key", [0, 1, -1, 2**63 - 1, -(2**63)])
def test_an_id_is_the_key_in_sixteen_digits(key: int):
    assert len(id_of(key)) == 16
    assert key_in(id_of(key)) == key
    assert key_in(id_of(key).upper()) == key


@pytest.mark.parametrize(
    "text", ["", "12", "0f3a9c21d4e5b67g", "0" * 17, "٣" * 16, "0x3a9c21d4e5b678"]
)
def test_anything_else_is_no_id(text: str):
    assert key_in(text) is None
