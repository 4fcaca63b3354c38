"""The few words and the picture by which a list shows a request."""

from __future__ import annotations

import json
import sys
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.display.summary import (
    IN_OUTPUT,
    PARSED_AT_MOST,
    SUMMARY_LENGTH,
    of_input,
    of_output,
)

CAT = "https://fal.media/files/cat.png"


def summary(value: Any) -> str:
    return of_input(json.dumps(value))["summary"]


def picture(value: Any) -> str | None:
    return of_output({"output": json.dumps(value).encode()}).get("thumbnail_url")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"prompt": "a lake", "style": "a very much longer description"}, "a lake"),
        ({"image_url": CAT, "text": "hello"}, "hello"),
        ({"a": "short", "b": "the longest one"}, "the longest one"),
        ({"prompt": "outer", "refine": {"prompt": "inner"}}, "outer"),
        ({"messages": [{"role": "user", "text": "nested"}]}, "nested"),
        ({"prompt": " two\n lines\t "}, "two lines"),
        ({"steps": 4}, '{"steps": 4}'),
        ({"prompt": ""}, '{"prompt": ""}'),
        ({"image": "data:image/png;base64,AAAA", "n": 1}, '{"image": "data:image/png;base64,AAAA", "n": 1}'),
        ({}, ""),
    ],
)  # fmt: skip
def test_the_most_telling_words_are_shown(value: Any, text: str) -> None:
    assert summary(value) == text


def test_a_long_text_is_cut() -> None:
    assert len(summary({"prompt": "word " * 10_000})) <= SUMMARY_LENGTH
    assert summary({"prompt": " " * 5000 + "late"}) == "late"


def test_odd_characters_are_made_storable() -> None:
    assert summary({"prompt": "a\0b\ud800"}) == "a\ufffdb\ufffd"


@pytest.mark.parametrize(
    "value",
    [
        {"images": [{"url": CAT, "content_type": "image/png"}]},
        {"image": {"url": CAT}},
        {"video": {"url": "https://x/a.mp4", "content_type": "video/mp4"}, "preview": {"url": CAT}},
        {"image": CAT},
        [CAT],
        {
            "images": [
                {"url": "https://evil.example/a.png", "content_type": "image/png"},
                {"url": CAT},
            ]
        },
        {"images": [{"url": "data:image/png;base64,AAAA"}, {"url": CAT}]},
        {"a": [{"b": {"url": CAT + "?size=1", "content_type": "image/webp"}}]},
    ],
)
def test_the_first_picture_is_the_lists_picture(value: Any) -> None:
    assert (picture(value) or "").startswith(CAT)


@pytest.mark.parametrize(
    "file",
    [
        {"url": "javascript:alert(1)", "content_type": "image/png"},
        {"url": "data:image/svg+xml;base64,AAAA", "content_type": "image/png"},
        {"url": "https://x/a.svg", "content_type": "image/svg+xml"},
        {"url": "https://x/a.svg"},
        {"url": "https://x/a.bin", "content_type": "application/octet-stream"},
        {"url": "https://x/" + "a" * 2000 + ".png"},
        {"url": 5, "content_type": "image/png"},
        {"url": "https://evil.example/a.png", "content_type": "image/png"},
        {"url": "https://fal.media@evil.example/a.png"},
        {"url": "http://fal.media/a.png"},
    ],
)
def test_what_is_no_harmless_picture_is_not_shown(file: Any) -> None:
    assert picture({"image": file}) == ""


def test_a_picture_in_the_output_itself_is_told_without_its_bytes() -> None:
    assert picture({"image": {"url": "data:image/png;base64,AAAA"}}) == IN_OUTPUT
    raw = {"output": b"\x89PNG\r\n\x1a\n\0\0", "output_type": "image/png"}
    assert of_output(raw)["thumbnail_url"] == IN_OUTPUT


@pytest.mark.parametrize("body", [None, b"", b"\xff\xfe", b"not json", b"x" * (PARSED_AT_MOST + 1)])
def test_an_output_that_is_no_json_has_no_picture(body: bytes | None) -> None:
    assert of_output({"output": body}) == {}


def test_no_depth_of_nesting_breaks_it() -> None:
    """A failure here would keep the row from ending, for ever."""
    failures: list[int] = []

    def try_all() -> None:
        limit = sys.getrecursionlimit()
        for depth in range(limit - 60, limit + 10):
            try:
                of_output({"output": b'{"a":[' * (depth // 2) + b"1" + b"]}" * (depth // 2)})
            except RecursionError:
                failures.append(depth)

    thread = threading.Thread(target=try_all)  # a short stack, as in a worker
    thread.start()
    thread.join()
    assert failures == []


@pytest.mark.slow
@given(st.dictionaries(st.text(), st.text() | st.integers() | st.lists(st.text())))
def test_any_input_has_a_short_storable_summary(value: dict[str, Any]) -> None:
    text = summary(value)
    assert len(text) <= SUMMARY_LENGTH
    assert "\0" not in text and "\n" not in text
    text.encode()


@pytest.mark.parametrize(
    ("value", "seed"),
    [
        ({"seed": 42}, "42"), ({"seed": 2**64 - 1}, "18446744073709551615"), ({"seed": 0}, "0"),
        ({"seed": True}, None), ({"seed": "42"}, None), ({"seed": 10**30}, None), ({"n": 1}, None),
        ({"images": [{"seed": 1}]}, None),
    ],
)  # fmt: skip
def test_the_seed_is_the_number_of_that_name(value: dict[str, Any], seed: str | None) -> None:
    text = json.dumps(value)
    assert of_input(text)["seed"] == seed
    assert of_output({"output": text.encode()}).get("seed") == seed
