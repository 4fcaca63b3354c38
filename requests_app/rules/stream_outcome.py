"""Pure: how has a stream ended that fal closed in order? No database, no clock, no network.

A model that fails in mid-stream ends just as cleanly as one that finishes, so only the events tell.
fal defines no event for it: these are the shapes that servers of models use.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

from requests_app.fal import StreamEvent
from requests_app.fal.reports import ErrorBody, Rest, Result, parse_error
from requests_app.fal.transport import BEGINNING, HELD
from requests_app.models.request import Status
from requests_app.rules.transitions import Ended

SENTINEL = "[DONE]"  # some servers say by it that no more comes; it is no output
NO_REASON = "The model reported an error in mid-stream and gave no reason."

_FAILED = {"error", "failed"}  # words of a `type` or `status`
_WORDS = ("message", "msg", "detail", "reason", "type", "code")  # of an error; a metric has none
# An object with nothing but these is an error when it has a `detail`; among others that is a word
# like any other.
_ERROR_NAMES = {"error", "detail", "error_type", "status_code", "status", "type", "reason"}


def telling(events: Sequence[StreamEvent], before: StreamEvent | None) -> StreamEvent | None:
    """The newest event that says something: of these, else the one `before` them."""
    said = (event for event in reversed(events) if event.data.strip() != SENTINEL)
    return next(said, before)


def judge_stream(count: int, last: StreamEvent | None) -> Result | Ended:
    """The end of a stream of `count` events, judged by the last `telling` one.

    Failures are: none at all, an error, an event of which only a part came, and output that calls
    itself partial. An error keeps the output that came with it.
    """
    if last is None:
        what = "any output" if count else "a single event"
        return Ended(Status.FAILED, "empty_stream", f"The stream ended without {what}.")
    value, content_type = _parsed(last.data)
    body = last.data.encode("utf-8", "replace")
    result = _result(content_type, body)
    if _has_failed(last.name, value):
        return replace(result, error=_error(value, last.data, body))
    # A JSON object or list that is closed is whole, though its line is not: the server ends without one.
    if last.is_cut and not isinstance(value, dict | list):
        sentence = (
            f"The stream was closed in the middle of event {count}, of which only a part came."
        )
        return Ended(Status.FAILED, "partial_stream", sentence)
    if isinstance(value, dict) and value.get("partial") is True:
        sentence = f"The stream ended after {count} events, in the middle of its output."
        return Ended(Status.FAILED, "partial_stream", sentence)
    return result


def _result(content_type: str, body: bytes) -> Result:
    """A large one as a beginning and a rest, as one that was fetched."""
    if len(body) <= HELD:
        return Result(200, {}, content_type, body)
    rest = Rest(BytesIO(body), BEGINNING, len(body) - BEGINNING)
    return Result(200, {}, content_type, body[:BEGINNING], rest=rest)


def _parsed(text: str) -> tuple[Any, str]:
    """The value and its type; a text that is no JSON is its own value."""
    try:
        return json.loads(text), "application/json"
    except (ValueError, RecursionError):
        return text, "text/plain"


def _has_failed(name: str, value: Any) -> bool:
    """Whether an event of this name says so. What lies deeper inside an output is the output's own."""
    if name.lower() == "error":
        return True
    if not isinstance(value, dict):
        return False
    if any(str(value.get(key)).lower() in _FAILED for key in ("type", "status")):
        return True
    if _is_error(value.get("error")):
        return True
    return _is_error(value.get("detail")) and set(value) <= _ERROR_NAMES


def _is_error(told: Any) -> bool:
    """Words, or yes. null, "", false and a number (a model's metric) are none."""
    if isinstance(told, dict):
        return any(told.get(name) for name in _WORDS)
    if isinstance(told, list):
        return any(_is_error(item) for item in told)
    return told is True or (isinstance(told, str) and bool(told.strip()))


def _error(value: Any, text: str, body: bytes) -> ErrorBody:
    if not isinstance(value, dict):
        return ErrorBody((value if isinstance(value, str) else text).strip() or NO_REASON)
    told = parse_error(200, {}, body, wordless=NO_REASON)
    name = value.get("error")
    if isinstance(name, str) and name.strip() and name not in told.detail:
        return replace(told, detail=f"{name}: {told.detail}")
    return told
