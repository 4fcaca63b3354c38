"""How a stream ended, judged over all its events; no database."""

from __future__ import annotations

import json
from typing import Any

import pytest

from requests_app.fal import StreamEvent
from requests_app.fal.reports import Result
from requests_app.rules.stream_outcome import NO_REASON, StreamOutcome
from requests_app.rules.transitions import CallEnded


def event(data: Any, name: str = "", *, is_cut: bool = False) -> StreamEvent:
    """Text as it stands, anything else as JSON."""
    text = data if isinstance(data, str) else json.dumps(data)
    return StreamEvent(name, text, None, len(text), is_cut)


def judged(*events: StreamEvent) -> Result | CallEnded:
    """In two batches, as they may come."""
    outcome = StreamOutcome()
    outcome.take(events[:1])
    outcome.take(events[1:])
    return outcome.end()


def result(*events: StreamEvent) -> Result:
    news = judged(*events)
    assert isinstance(news, Result)
    return news


def ended(*events: StreamEvent) -> CallEnded:
    news = judged(*events)
    assert isinstance(news, CallEnded)
    return news


FIRST = event({"output": "a"})
DONE = [event("[DONE]"), event("  [DONE] "), event("[DONE]", "done")]
# None of these is an output, and none undoes an error.
REST = [
    *DONE, event(""), event("null"), event({}), event("", "done"), event({}, "done"), event("done", "done"),
    event({"type": "done"}), event({"done": True}), event({"status": "COMPLETED"}), event({"type": "ping"}),
    event("", "ping"), event("1700000000", "heartbeat"), event({"output": ""}), event({"output": None}),
    event({"usage": {"tokens": 3}}), event({"progress": 1.0}), event({"choices": [], "usage": {"tokens": 3}}),
    event({"choices": [{"delta": {}, "finish_reason": "stop"}]}), event({"error": None}), event({"error": "none"}),
    event("done"), event("END"), event("ping"), event("  "),
]  # fmt: skip

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


@pytest.mark.parametrize("more", [[], *[[done] for done in DONE], DONE, REST])
@pytest.mark.parametrize(("last", "words"), FAILURES)
def test_an_error_at_the_end_is_a_failure_and_its_output_is_kept(
    last: StreamEvent, words: str, more: list[StreamEvent]
) -> None:
    news = result(FIRST, last, *more)
    assert news.error is not None
    assert news.error.detail == words
    assert news.body == (last.data or FIRST.data).encode()


@pytest.mark.parametrize("before", [[], [FIRST], [FIRST, *REST]])
@pytest.mark.parametrize(
    "after",
    [
        *([more] for more in REST), REST, [event({"output": "all of it"})], [event("words")],
        [event({"output": "all", "partial": False})], [event({"error": "it failed"})], [event("12", is_cut=True)],
        [event({"error": "none", "output": "x"}), *DONE],
    ],
)  # fmt: skip
def test_an_error_is_one_whatever_comes_after_it(
    before: list[StreamEvent], after: list[StreamEvent]
) -> None:
    for error in (event({"detail": "boom"}, "error"), event({"error": {"message": "boom"}})):
        news = result(*before, error, *after)
        assert news.error is not None
        assert news.error.detail == "boom"


def test_an_error_without_words_is_told_by_a_later_one() -> None:
    news = result(event("", "error"), event({"error": "boom"}), event({"error": "and so on"}))
    assert news.error is not None
    assert news.error.detail == "boom"


def test_an_output_after_an_error_is_kept_with_it() -> None:
    news = result(event({"error": "boom"}), event({"output": "all"}), *DONE)
    assert (news.ok, json.loads(news.body)) == (False, {"output": "all"})


OUTPUTS = [
    event({"output": "all of it", "partial": False}),
    event({"error": None, "output": "fine"}),
    event({"error": "none", "output": "fine"}),
    event({"error": {"mean": 0.1}, "output": "fine"}),
    event({"error": 0.03, "loss": 0.4}),
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
    news = result(FIRST, last, *more)
    assert (news.ok, news.body) == (True, last.data.encode())


@pytest.mark.parametrize("more", [*([more] for more in REST), REST])
def test_the_output_is_the_last_event_that_carries_one(more: list[StreamEvent]) -> None:
    news = result(event({"output": "ab"}), *more)
    assert (news.ok, json.loads(news.body)) == (True, {"output": "ab"})


def test_a_word_of_goodbye_is_an_output_among_words() -> None:
    assert result(event("we are "), event("done")).body == b"done"
    assert result(event({"output": "ab"}), event("done")).body == b'{"output": "ab"}'


NOTES = [
    event({}), event([]), event({"error": None}), event({"error": ""}), event({"error": False, "status": "ok"}),
    event({"error": 0.03}), event({"error": {"mean": 0.1}}), event({"status": "COMPLETED"}), event({"step": 9}),
    event("finished", "done"),
]  # fmt: skip


@pytest.mark.parametrize("note", NOTES, ids=range(len(NOTES)))
def test_where_no_output_comes_the_last_note_is_it(note: StreamEvent) -> None:
    news = result(event({"progress": 0.1}), note, *DONE)
    assert (news.ok, news.body) == (True, note.data.encode())


WHOLE = [
    event({"partial": False}), event({"output": "", "partial": False}), event({"output": None, "done": True}),
    event({"status": "COMPLETED"}),
]  # fmt: skip
PARTS = [
    event({"output": "half", "partial": True}), event({"output": "half", "is_partial": True}),
    event({"output": "half", "done": False}), event({"output": "half", "status": "IN_PROGRESS"}),
]  # fmt: skip


@pytest.mark.parametrize(
    "more", [[], [event("")], [event({"type": "ping"})], [event({"progress": 0.4})]]
)
@pytest.mark.parametrize("part", PARTS)
def test_an_output_that_calls_itself_partial_is_no_whole_one(
    part: StreamEvent, more: list[StreamEvent]
) -> None:
    news = ended(FIRST, part, *more)
    assert (news.error_type, news.status) == ("partial_stream", "failed")
    assert news.came is not None
    assert news.came.body == part.data.encode()


@pytest.mark.parametrize("whole", WHOLE)
@pytest.mark.parametrize("part", PARTS)
def test_it_is_whole_once_an_event_says_so(part: StreamEvent, whole: StreamEvent) -> None:
    assert result(part, whole, *DONE).body == part.data.encode()


def test_a_close_ends_work_that_goes_on_but_makes_no_part_whole() -> None:
    going, part = event({"output": "a", "done": False}), event({"output": "a", "partial": True})
    assert result(going, event({}, "done")).ok
    assert ended(part, event({}, "done"), *DONE).error_type == "partial_stream"


def test_work_that_goes_on_without_an_output_has_not_ended() -> None:
    news = ended(event({"status": "IN_QUEUE"}), event({"status": "IN_PROGRESS", "progress": 0.5}))
    assert "before an output came" in news.sentence
    assert result(FIRST, event({"status": "IN_PROGRESS"})).ok


@pytest.mark.parametrize(
    "events", [[], DONE, [event("")], [event("null"), event({}, "end"), *DONE]]
)
def test_a_stream_that_said_nothing_is_empty(events: list[StreamEvent]) -> None:
    assert ended(*events).error_type == "empty_stream"


def test_a_stream_that_was_closed_in_mid_event_keeps_the_whole_output_before_it() -> None:
    news = ended(FIRST, event('{"output": "ha', is_cut=True))
    assert "in the middle of event 2" in news.sentence
    assert news.came is not None
    assert news.came.body == FIRST.data.encode()
    assert result(FIRST, event({"output": "all"}, is_cut=True)).body == b'{"output": "all"}'


def test_a_call_that_broke_off_ends_by_the_models_error_if_one_came() -> None:
    told = CallEnded("failed", "interrupted", "The connection broke off.")
    calm, failed = StreamOutcome(), StreamOutcome()
    calm.take([FIRST, event("")])
    failed.take([FIRST, event({"error": "boom"})])
    broken = calm.broken_off(told)
    assert isinstance(broken, CallEnded)
    assert (broken.error_type, broken.came and broken.came.body) == (
        "interrupted",
        FIRST.data.encode(),
    )
    error = failed.broken_off(told)
    assert isinstance(error, Result)
    assert error.error is not None
    assert StreamOutcome().broken_off(told) == told
