from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.jsontext import NotJson
from requests_app.fal.reports import LogEntry, Result, parse_cancel, parse_status


def test_a_status_reply_is_read_whole() -> None:
    report = parse_status(
        {
            "status": "COMPLETED",
            "request_id": "r",
            "logs": [
                {
                    "timestamp": "2024-12-20T15:37:17.120314",
                    "message": "hi",
                    "labels": {"level": "INFO"},
                },
                {
                    "timestamp": "t",
                    "message": "ho",
                    "level": "STDERR",
                    "source": "USER",
                    "labels": None,
                },
            ],
            "metrics": {"inference_time": 1.5},
            "error": "Invalid status code: 422",
            "error_type": "client_cancelled",
        }
    )
    assert report.is_completed
    assert report.logs == (
        LogEntry("2024-12-20T15:37:17.120314", "INFO", "", "hi"),
        LogEntry("t", "STDERR", "USER", "ho"),
    )
    assert report.metrics == {"inference_time": 1.5}
    assert (report.error, report.error_type) == ("Invalid status code: 422", "client_cancelled")


@pytest.mark.parametrize("status", ["IN_QUEUE", "IN_PROGRESS", "CANCELLED", "something new"])
def test_status_words_are_kept_and_only_completed_is_the_end(status: str) -> None:
    report = parse_status({"status": status, "queue_position": 3})
    assert (report.status, report.queue_position, report.is_completed) == (status, 3, False)


@pytest.mark.parametrize("status", [None, 7, "", []])
def test_a_reply_without_a_status_word_is_not_readable(status: object) -> None:
    with pytest.raises(NotJson):
        parse_status({"status": status})


@pytest.mark.parametrize("position", [None, "3", True, -1, 2.5])
def test_an_odd_queue_position_is_no_position(position: object) -> None:
    assert parse_status({"status": "IN_QUEUE", "queue_position": position}).queue_position is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.slow
@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("logs", "metrics", "error", "error_type"), json_values)
    )
)
def test_odd_members_of_a_status_never_raise(members: dict[str, Any]) -> None:
    report = parse_status({"status": "IN_PROGRESS", **members})
    assert all(isinstance(line, LogEntry) for line in report.logs)


LOG_ENTRIES: list[tuple[Any, str]] = [
    ("plain", "plain"),
    ({"message": "hi"}, "hi"),
    ({"message": {"step": 1, "ok": True}}, '{"step": 1, "ok": true}'),
    ({"message": ["a", None, 2.5]}, '["a", null, 2.5]'),
    ({"message": True}, "true"),
    ({"message": 7}, "7"),
    ({"message": {"word": "école"}}, '{"word": "école"}'),
    ({"message": None}, ""),
    ({"event": "loaded", "ms": 3}, '{"event": "loaded", "ms": 3}'),
    ([1, {"a": None}], '[1, {"a": null}]'),
    (None, ""),
    (False, "false"),
]


@pytest.mark.parametrize(("entry", "message"), LOG_ENTRIES)
def test_a_log_message_that_is_no_text_is_shown_as_json(entry: Any, message: str) -> None:
    (line,) = parse_status({"status": "IN_PROGRESS", "logs": [entry]}).logs
    assert line.message == message


@pytest.mark.parametrize(
    ("error", "told"),
    [
        ("boom", "boom"),
        ({"message": "boom", "type": "oom"}, "boom"),
        (["boom", "bang"], "boom; bang"),
        ({"code": 7}, '{"code": 7}'),
        ("", None),
        (None, None),
    ],
)
def test_the_error_of_a_status_is_read_in_any_shape(error: Any, told: str | None) -> None:
    assert parse_status({"status": "COMPLETED", "error": error}).error == told


@pytest.mark.parametrize(
    ("code", "body", "kind"),
    [
        (202, b'{"status":"CANCELLATION_REQUESTED"}', "requested"),
        (200, b'{"status":"OK"}', "removed"),
        (400, b'{"status":"ALREADY_COMPLETED"}', "already_completed"),
        (200, b'{"status":"ALREADY_COMPLETED"}', "already_completed"),
        (404, b'{"status":"NOT_FOUND"}', "not_found"),
        (200, b'{"success":true}', "requested"),
        (200, b'{"success":false}', "unclear"),
        (202, b"", "requested"),
        (204, b"", "requested"),
        (200, b'{"status":"MAYBE"}', "unclear"),
        (400, b'{"detail":"bad"}', "unclear"),
        (404, b'{"detail":"Path /cancel not found"}', "unclear"),
    ],
)
def test_a_cancel_answer_is_read_by_its_word(code: int, body: bytes, kind: str) -> None:
    answer = parse_cancel(code, body)
    assert (answer.status_code, answer.kind, answer.body) == (code, kind, body)


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("2", "2"), ("1.50", "1.50"), (" 0 ", "0"), ("1e-3", "1e-3"), ("", ""), ("many", ""),
        ("-1", ""), ("nan", ""), ("1" * 41, ""), ("1\x00", ""),
    ],
)  # fmt: skip
def test_billable_units_are_kept_as_fal_wrote_them(told: str, kept: str) -> None:
    headers = {"x-fal-billable-units": told}
    assert Result(200, headers, "application/json", b"{}").billable_units == kept
    assert Result(200, {}, "application/json", b"{}").billable_units == ""
