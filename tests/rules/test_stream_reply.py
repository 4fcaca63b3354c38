"""A whole reply in place of a stream: output, error or broken; no database."""

from __future__ import annotations

from io import BytesIO

import pytest

from requests_app.fal import Result
from requests_app.fal.reports import Rest
from requests_app.rules.stream_reply import judge_reply
from requests_app.rules.transitions import CallEnded


def reply(content_type: str, body: bytes, request_id: str | None = None) -> Result:
    return Result(200, {}, content_type, body, request_id=request_id)


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("audio/wav", b"RIFF"), ("text/plain", b"error"), ("text/plain", b'{"output": "a"}\nno json'), ("", b"\xff"),
        ("application/x-ndjson", b'{"a": 1}\n{"error": "none"}\n'), ("application/json", b'{"a": NaN}'),
        ("application/problem+json", b'{"a": 1}\r\n{"b": 2}'), ("image/svg+xml", b"<svg>error</svg>"),
        ("text/csv", b'{"error": "boom"}'),
    ],
)  # fmt: skip
def test_an_output_of_any_type_is_one(content_type: str, body: bytes) -> None:
    told = reply(content_type, body)
    assert judge_reply(told) == told


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-ndjson", b'{"a": 1}\n{"error": "boom"}\n{"done": true}\n'), ("", b'{"error": "boom"}'),
        ("text/plain", b'{"detail": "boom"}'), ("application/json", b'{"x": NaN, "error": "boom"}'),
    ],
)  # fmt: skip
def test_an_error_in_its_json_is_one(content_type: str, body: bytes) -> None:
    news = judge_reply(reply(content_type, body))
    assert isinstance(news, Result)
    assert news.error is not None
    assert (news.error.detail, news.body) == ("boom", body)


def test_a_page_is_an_output_when_it_bears_fals_request_id() -> None:
    page = reply("text/html; charset=utf-8", b"<p>hello", "an id")
    assert judge_reply(page) == page
    news = judge_reply(reply("text/html", b"<p>hello"))
    assert isinstance(news, CallEnded)
    assert (news.error_type, news.came and news.came.body) == ("unreadable", b"<p>hello")


def test_json_that_breaks_off_is_kept_and_failed() -> None:
    news = judge_reply(reply("application/json", b'{"output": "ha'))
    assert isinstance(news, CallEnded)
    assert (news.error_type, news.came and news.came.size) == ("unreadable", 14)


def test_nothing_is_no_output_and_a_large_one_is_not_read() -> None:
    assert isinstance(judge_reply(reply("audio/mpeg", b"")), CallEnded)
    rest = Rest(BytesIO(b"{no and more"), 3, 9)
    large = Result(200, {}, "application/json", b"{no", rest=rest)
    assert judge_reply(large) is large
