"""Pure: judge a whole reply that came in place of a stream. It may be billed, so it is kept."""

from __future__ import annotations

import json
from dataclasses import replace

from requests_app.fal import Result, StreamEvent
from requests_app.models.error_type import ErrorType
from requests_app.models.request import Status
from requests_app.rules.stream_outcome import StreamOutcome
from requests_app.rules.transitions import CallEnded

_MAY_HOLD_ERRORS = ("json", "text/plain", "octet-stream", "jsonl")
_DECODER = json.JSONDecoder(strict=False)
_LINES = 10_000  # JSON lines that are searched for an error
_BILLED = "It is kept; work that was done may be billed."


def judge_reply(result: Result) -> Result | CallEnded:
    """Take the reply as the output unless it reports an error, is broken, or is a proxy's web page."""
    if not result.size:
        return CallEnded(
            Status.FAILED,
            ErrorType.EMPTY_STREAM,
            "The reply was empty: no stream came, and no output.",
        )
    media_type = result.content_type.partition(";")[0].strip().lower()
    if media_type == "text/html" and not result.request_id:
        sentence = f"The reply is a web page without fal's request id, no output. {_BILLED}"
        return CallEnded(Status.FAILED, ErrorType.UNREADABLE, sentence, came=result)
    if result.rest or (media_type and not any(word in media_type for word in _MAY_HOLD_ERRORS)):
        return result
    lines = _lines_of_json(result.body)
    if lines is None and (media_type == "application/json" or media_type.endswith("+json")):
        sentence = f"The reply says that it is JSON, and cannot be read as such. {_BILLED}"
        return CallEnded(Status.FAILED, ErrorType.UNREADABLE, sentence, came=result)
    return _judged(result, lines or [])


def _judged(result: Result, lines: list[str]) -> Result:
    """Judge each line like a stream event, to find an error among them."""
    outcome = StreamOutcome()
    outcome.take([StreamEvent("", line, None, len(line)) for line in lines])
    news = outcome.end()
    return replace(result, error=news.error) if isinstance(news, Result) else result


def _lines_of_json(body: bytes) -> list[str] | None:
    """Return the body as one JSON text or as JSON lines; None when it is neither."""
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    if _is_json(text):
        return [text]
    lines = [line for line in text.split("\n") if line.strip()]
    return lines if all(map(_is_json, lines[:_LINES])) else None


def _is_json(text: str) -> bool:
    """Accept NaN and line breaks in strings, which models write."""
    try:
        _DECODER.decode(text.strip())
    except (ValueError, RecursionError):
        return False
    return True
