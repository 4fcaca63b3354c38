"""How a stream ended that was closed in order: the table of last events; no database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.fal import StreamEvent
from requests_app.fal.reports import Result
from requests_app.rules.stream_outcome import NO_REASON, judge_stream, telling
from requests_app.rules.transitions import Ended


def event(data: Any, name: str = "") -> StreamEvent:
    """Text as it stands, anything else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    return StreamEvent(name, text, None, len(text))


def judged(*events: StreamEvent) -> Result | Ended:
    return judge_stream(len(events), telling(events, None))


DONE = [event("[DONE]"), event("  [DONE] "), event("[DONE]", "done")]

FAILURES = [
    (event({"error": "boom"}), "boom"),
    (event({"error": "boom", "message": "x"}), "boom: x"),
    (event({"error": {"type": "overloaded", "message": "boom"}}), "boom"),
    (event({"error": ["boom"]}), "boom"),
    (event({"error": {"code": 500}}), NO_REASON),
    (event({"error": True, "message": "boom"}), "boom"),
    (event({"type": "error", "message": "boom"}), "boom"),
    (event({"type": "error"}), NO_REASON),
    (event({"status": "FAILED", "message": "boom"}), "boom"),
    (event({"status": "failed", "error": "boom", "request_id": "x"}), "boom"),
    (event({"output": "a", "error": "boom", "partial": False}), "boom"),
    (event({"output": "a", "error": "boom", "partial": True}), "boom"),
    (event({"detail": "boom"}), "boom"),
    (event({"detail": [{"loc": ["body", "n"], "msg": "boom", "type": "x"}]}), "n: boom"),
    (event("boom", "error"), "boom"),
    (event('"boom"', "error"), "boom"),
    (event("", "error"), NO_REASON),
    (event({"message": "boom"}, "error"), "boom"),
    (event({"output": "a"}, "Error"), NO_REASON),
]


@pytest.mark.parametrize("more", [[], *[[done] for done in DONE], DONE])
@pytest.mark.parametrize(("last", "words"), FAILURES)
def test_an_error_at_the_end_is_a_failure_and_its_output_is_kept(
    last: StreamEvent, words: str, more: list[StreamEvent]
) -> None:
    news = judged(event({"output": "a"}), last, *more)
    assert isinstance(news, Result)
    assert news.error is not None
    assert news.error.detail == words
    assert news.body == last.data.encode()


OUTPUTS = [
    event({"output": "all of it", "partial": False}),
    event({"error": None}),
    event({"error": None, "output": "fine"}),
    event({"error": ""}),
    event({"error": False, "status": "ok"}),
    event({"error": 0.03}),
    event({"error": 3, "detail": None}),
    event({"error": {"mean": 0.1}}),
    event({"error": [0.1, 0.2]}),
    event({"detail": "high", "image": "x"}),
    event({"detail": 3}),
    event({"type": "text", "status": "COMPLETED", "message": "hello"}),
    event({"output": {"error": "boom", "type": "error", "partial": True}}),
    event([{"error": "boom"}]),
    event("plain text"),
    event("error"),
    event('{"broken'),
    event("fine", "errors"),
    event("[" * 100_000),
]


@pytest.mark.parametrize("more", [[], DONE])
@pytest.mark.parametrize("last", OUTPUTS, ids=range(len(OUTPUTS)))
def test_an_output_is_one_whatever_it_has_inside(
    last: StreamEvent, more: list[StreamEvent]
) -> None:
    news = judged(event({"output": "a"}), last, *more)
    assert isinstance(news, Result)
    assert (news.ok, news.body) == (True, last.data.encode())


@pytest.mark.parametrize("more", [[], DONE])
def test_an_output_that_calls_itself_partial_is_no_whole_one(more: list[StreamEvent]) -> None:
    news = judged(event({"output": "half", "partial": True}), *more)
    assert isinstance(news, Ended)
    assert (news.error_type, news.status) == ("partial_stream", "failed")


@pytest.mark.parametrize("events", [[], DONE])
def test_a_stream_that_said_nothing_is_empty(events: list[StreamEvent]) -> None:
    news = judged(*events)
    assert isinstance(news, Ended)
    assert news.error_type == "empty_stream"


def test_what_was_said_before_counts_until_something_newer_is_said() -> None:
    first, second = event("1"), event("2")
    assert telling(DONE, first) is first
    assert telling([first, second, *DONE], None) is second
