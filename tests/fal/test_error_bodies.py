"""The reason stands in the body, in whatever shape."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.error_bodies import FieldError, parse_error, says_nothing

NGINX = b"<html>\r\n<head><title>502 Bad Gateway</title></head><body>nginx</body></html>"
WORDLESS = "fal answered with HTTP 500."
DEEP: Any = {"reason": "at the bottom"}
for _ in range(4):
    DEEP = {"error": DEEP}

SHAPES: dict[str, tuple[Any, str]] = {
    "detail": ({"detail": "Exhausted balance"}, "Exhausted balance"),
    "detail and type": ({"detail": "slow", "error_type": "request_timeout"}, "slow"),
    "message beside a word": ({"error": "Error", "message": "Path /x not found"}, "Path /x not found"),
    "platform": ({"error": {"type": "not_found", "message": "no such id"}}, "no such id"),
    "status word": ({"status": "NOT_FOUND"}, "NOT_FOUND"),
    "error": ({"error": "boom"}, "boom"),
    "object detail": ({"detail": {"type": "content_policy_violation", "msg": "Prompt was blocked"}}, "Prompt was blocked"),
    "object detail, other names": ({"detail": {"code": 7, "reason": "no credit"}}, "no credit"),
    "object detail without a known name": ({"detail": {"why": 7}}, '{"why": 7}'),
    "number": ({"detail": 42}, "42"),
    "list of texts": ({"detail": ["one", "two"]}, "one; two"),
    "list of odd things": ({"detail": ["one", 7, None, {"x": 1}]}, "one"),
    "list of objects": ({"errors": [{"message": "a"}, {"reason": "b"}]}, "a; b"),
    "by field": ({"errors": {"prompt": ["may not be blank", "is odd"]}}, "prompt: may not be blank; is odd"),
    "by field at the top": ({"prompt": ["required"]}, "prompt: required"),
    "problem": ({"type": "https://x/y", "title": "Out of credit", "detail": "Your balance is 30"}, "Your balance is 30"),
    "generic first": ({"detail": "Internal Server Error", "error": "CUDA out of memory"}, "CUDA out of memory"),
    "status code first": ({"error": "Invalid status code: 422", "message": "too dark"}, "too dark"),
    "only generic": ({"detail": "Internal Server Error"}, "Internal Server Error"),
    "deep": (DEEP, "at the bottom"),
    "JSON in a string": ({"detail": '{"error": {"message": "inner"}}'}, "inner"),
    "a JSON string": ("Prompt was blocked", "Prompt was blocked"),
    "a JSON string of JSON": ('{"detail": "inner"}', "inner"),
    "a list": ([{"msg": "Field required", "loc": ["body", "prompt"]}], "prompt: Field required"),
    "empty list": ({"detail": []}, WORDLESS),
    "numbers": ([1, 2], WORDLESS),
    "empty": ({}, WORDLESS),
    "no reason": ({"foo": 1}, WORDLESS),
    "null": (None, WORDLESS),
    "plain text": (b"upstream connect error\n", "upstream connect error"),
    "text with a mark": (b"\xef\xbb\xbfno healthy upstream", "no healthy upstream"),
    "HTML": (NGINX, "502 Bad Gateway"),
    "HTML without a title": (b"<!DOCTYPE html><body><h1 class='x'>Back &amp; up <b>soon</b></h1>", "Back & up soon"),
    "HTML without words": (b"<html>", WORDLESS),
    "XML": (b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", "Access Denied"),
    "an event": (b'event: error\ndata: {"detail": "boom"}\n\n', "boom"),
    "a traceback": (b"Traceback (most recent call last):\n  x\nValueError: bad", "ValueError: bad"),
    "cut off": (b'{"detail": [{"loc": ["body"], "msg": "Image \\"x\\" is too big", "input": "AAAA', 'Image "x" is too big'),
    "cut off in the reason": (b'{"detail": "The prompt w', "The prompt w"),
    "cut off in an escape": (b'{"detail": "The prompt \\u00', "The prompt \\u00"),
    "bytes of a picture": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", WORDLESS),
    "nothing": (b"", WORDLESS),
}  # fmt: skip


@pytest.mark.parametrize(("body", "detail"), SHAPES.values(), ids=SHAPES)
def test_the_reason_is_found_in_every_shape(body: Any, detail: str) -> None:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = parse_error(500, {}, raw)
    assert error.detail == detail
    assert error.has_reason is (
        detail not in (WORDLESS, "502 Bad Gateway", "Internal Server Error")
    )


@given(
    st.binary(max_size=200)
    | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace"))
)
def test_no_bytes_whatever_are_an_error_of_ours(body: bytes) -> None:
    assert parse_error(500, {}, body).detail


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["detail", "msg", "loc", "type", "error", "x"]), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(json_values)
def test_no_value_whatever_is_an_error_of_ours(value: Any) -> None:
    error = parse_error(422, {}, json.dumps(value).encode())
    assert error.detail
    assert all(field.sentence for field in error.fields)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 900 + b"]" * 900,
        b"<p " * 100_000,
        b"<title>" * 100_000,
        b'{"a":' * 100_000,
        b'{"' + b'\\"' * 300_000,
    ],
)
def test_a_hostile_body_takes_no_longer_than_a_plain_one(body: bytes) -> None:
    """Patterns that began anew at each place would take minutes for these."""
    assert parse_error(500, {}, body).detail


def test_a_webhook_that_gives_no_reason_names_no_http_code() -> None:
    assert parse_error(0, {}, b'{"foo": 1}').detail == "fal reported an error and gave no reason."


def test_field_errors_keep_place_and_words_but_never_the_echoed_input() -> None:
    secret = "data:image/png;base64," + "A" * 100_000
    entry = {
        "loc": ["body", "images", 0],
        "msg": "too big",
        "type": "file_too_large",
        "input": secret,
    }
    error = parse_error(422, {}, json.dumps({"detail": [entry, "odd"]}).encode())
    assert error.fields == (
        FieldError(("body", "images", 0), "too big", "file_too_large"),
        FieldError((), "odd", ""),
    )
    assert error.detail == "images[0]: too big; odd"
    assert "base64" not in repr(error)


@pytest.mark.parametrize(
    ("detail", "field"),
    [
        ({"loc": ["body", "seed"], "msg": "odd"}, FieldError(("body", "seed"), "odd", "")),
        ([{"field": "seed", "message": "odd"}], FieldError(("seed",), "odd", "")),
        ([{"loc": ["body", "seed"], "type": "missing"}], FieldError(("body", "seed"), "missing", "missing")),
        ({"seed": ["odd"]}, FieldError(("seed",), "odd", "")),
    ],
)  # fmt: skip
def test_one_field_is_a_field_in_any_shape(detail: Any, field: FieldError) -> None:
    assert parse_error(422, {}, json.dumps({"detail": detail}).encode()).fields == (field,)


def test_an_object_that_names_no_place_is_a_reason_with_a_type_and_no_field() -> None:
    body = b'{"detail": {"type": "content_policy_violation", "msg": "Prompt was blocked"}}'
    error = parse_error(422, {}, body)
    assert (error.error_type, error.fields) == ("content_policy_violation", ())


@pytest.mark.parametrize(
    ("body", "error_type"),
    [
        (b'{"detail":"x","error_type":"internal_error"}', "internal_error"),
        (b'{"error":{"type":"rate_limited"}}', "rate_limited"),
        (b'{"error":{"code":"insufficient_quota","message":"x"}}', "insufficient_quota"),
        (b'{"code":"oom"}', "oom"),
        (b'{"code":7}', "runner_server_error"),
        (b"{}", "runner_server_error"),
        (b"<html>", "runner_server_error"),
    ],
)
def test_the_error_type_in_the_body_wins_over_the_header(body: bytes, error_type: str) -> None:
    assert (
        parse_error(500, {"x-fal-error-type": "runner_server_error"}, body).error_type == error_type
    )


@pytest.mark.parametrize(
    "text",
    ["", " ", "Error", "error!", "Bad Gateway", "502 Bad Gateway", "Invalid status code: 422", "HTTP 500",
     "Unprocessable Entity", "422 Unprocessable Content", "An unknown error occurred.", "fal answered with HTTP 0.", "Failed"],
)  # fmt: skip
def test_a_text_that_says_that_there_was_an_error_says_nothing(text: str) -> None:
    assert says_nothing(text)


@pytest.mark.parametrize(
    "text", ["no", "Error: disk full", "NOT_FOUND", "Prompt was blocked", "504 s passed"]
)
def test_a_text_that_says_more_says_something(text: str) -> None:
    assert not says_nothing(text)
