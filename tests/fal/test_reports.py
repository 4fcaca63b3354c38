from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from requests_app.fal.jsontext import NotJson
from requests_app.fal.reports import FieldError, LogLine, parse_cancel, parse_error, parse_status


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
        LogLine("2024-12-20T15:37:17.120314", "INFO", "", "hi"),
        LogLine("t", "STDERR", "USER", "ho"),
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


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("logs", "metrics", "error", "error_type"), json_values)
    )
)
def test_odd_members_of_a_status_never_raise(members: dict[str, Any]) -> None:
    report = parse_status({"status": "IN_PROGRESS", **members})
    assert all(isinstance(line, LogLine) for line in report.logs)


SHAPES: list[tuple[Any, str]] = [
    ({"detail": "Exhausted balance"}, "Exhausted balance"),
    ({"detail": "slow", "error_type": "request_timeout"}, "slow"),
    ({"error": "Error", "message": "Path /x not found"}, "Path /x not found"),
    ({"error": {"type": "not_found", "message": "gone"}}, "gone"),
    ({"status": "NOT_FOUND"}, "NOT_FOUND"),
    ({"error": "boom"}, "boom"),
    ({"detail": []}, "fal answered with HTTP 500."),
    ([1, 2], "fal answered with HTTP 500."),
    ({}, "fal answered with HTTP 500."),
]


@pytest.mark.parametrize(("body", "detail"), SHAPES)
def test_each_error_shape_gives_one_text(body: Any, detail: str) -> None:
    assert parse_error(500, {}, json.dumps(body).encode()).detail == detail


def test_an_error_page_gives_the_code() -> None:
    assert parse_error(502, {}, b"<html>").detail == "fal answered with HTTP 502."


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


def test_the_error_type_in_the_body_wins_over_the_header() -> None:
    header = {"x-fal-error-type": "runner_server_error"}
    assert (
        parse_error(500, header, b'{"detail":"x","error_type":"internal_error"}').error_type
        == "internal_error"
    )
    assert parse_error(500, header, b"{}").error_type == "runner_server_error"
    assert parse_error(500, {}, b'{"error":{"type":"rate_limited"}}').error_type == "rate_limited"


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
