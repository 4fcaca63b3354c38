"""Every log line is one JSON object that says what it is about, and no secret."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest

from dashboard import logcontext
from dashboard.jsonlines import JsonFormatter


@pytest.fixture(autouse=True)
def _about_nothing() -> None:
    """Requests of earlier tests share this thread's context."""
    logcontext.http_request.set("")
    logcontext.row.set(None)


def line(message: str, *arguments: object, **more: Any) -> str:
    record = logging.LogRecord("a.b", logging.WARNING, "f", 1, message, arguments, **({"exc_info": None} | more))  # fmt: skip
    record.created = 1_700_000_000.5
    return JsonFormatter().format(record)


def test_a_line_has_time_level_logger_and_message_and_nothing_empty() -> None:
    assert json.loads(line("Row %s moved.", 7)) == {
        "time": "2023-11-14T22:13:20.500Z",
        "level": "WARNING",
        "logger": "a.b",
        "message": "Row 7 moved.",
    }


@pytest.mark.parametrize("odd", ["two\nlines", 'quote " {', "灯 \ud800", "\u2028", "\x00\x1b[31m"])
def test_nothing_in_a_message_breaks_its_line(odd: str) -> None:
    text = line("%s", odd)
    assert text.isascii()
    assert len(text.splitlines()) == 1
    assert json.loads(text)["message"] == odd


def test_an_exception_is_part_of_the_same_line() -> None:
    try:
        raise ValueError("broken at /hooks/fal/1-2-3/topsecret")
    except ValueError:
        text = line("Failed.", exc_info=sys.exc_info())
    assert len(text.splitlines()) == 1
    assert "ValueError: broken" in json.loads(text)["exception"]
    assert "topsecret" not in text


@pytest.mark.parametrize(
    "message",
    [
        "Not Found: /hooks/fal/0000-1111/topsecret",
        "{'Authorization': 'Bearer topsecret'}",
        "Authorization: Key id:topsecret",
        "token fdk_topsecret, again",
    ],
)
def test_no_secret_is_in_it(message: str) -> None:
    text = line("%s", message)
    assert "topsecret" not in text
    assert "***" in text


def test_what_is_no_credential_stays_readable() -> None:
    said = "Key (fal_request_id)=(r-1) already exists. The key is wrong."
    assert json.loads(line(said))["message"] == said


def test_it_says_which_row_it_is_about() -> None:
    token = logcontext.row.set(42)
    try:
        assert json.loads(line("x"))["row"] == 42
    finally:
        logcontext.row.reset(token)
    assert "row" not in json.loads(line("x"))
