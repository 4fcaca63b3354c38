"""Pure: detect whether a stream event reports a failure.

fal defines no error event: these are the shapes that models and their servers use. Anything deeper inside
an output is content.
"""

from __future__ import annotations

import json
import re
from typing import Any

_FAILED = {"error", "errored", "failed", "failure", "exception", "fatal"}
_BROKEN_OFF = _FAILED | {
    "cancelled",
    "canceled",
    "aborted",
    "abort",
    "timeout",
    "timedout",
    "crashed",
}
_DENIED = {"no", "non", "not", "without", "un"}  # negates a failure word that follows

# Values of an error member that mean "no error".
_NO_ERROR = re.compile(
    r"(none|null|nil|nan|n/?a|undefined|false|no|ok|okay|success|successful|succeeded|0|-+|\{\}|\[\]|\"\"|''"
    r"|(there (was|were) )?no ?(errors?|exceptions?|problems?|issues?)"
    r"( (occurred|found|detected|reported|yet))?|without errors?|no_errors?)[.!]?",
    re.IGNORECASE,
)
# Members that hold an error, also next to an output.
_ERROR = (
    "error", "error_message", "errorMessage", "error_msg", "errorText", "error_text",
    "error_description", "exception",
)  # fmt: skip
# Members that hold an error only in an object without other members.
_DETAIL = ("detail", "details", "errors", "failure_reason", "traceback", "stack_trace")
_WORDS = ("message", "msg", "reason", "description", "title", "text")
_CODES = ("code", "status_code", "statusCode", "error_code", "errorCode", "status")
_FLAGS = ("success", "ok", "succeeded")
_MARKS = {"type", "kind", "object", "name", "event", "error_type", "errorType", "instance", "param"}
_IDS = {"id", "request_id", "requestId", "trace_id", "timestamp", "time", "ts", "index", "jsonrpc"}
_ERROR_NAMES = {*_ERROR, *_DETAIL, *_WORDS, *_CODES, *_FLAGS, *_MARKS, *_IDS}
_ENVELOPES = ("data", "payload", "body", "response", "event", "message")
# Without one of these members an object reports no failure, whatever else it holds.
_HINTS = frozenset(
    {*_ERROR, *_DETAIL, *_CODES, *_FLAGS, *_ENVELOPES, "type", "event", "object", "choices"}
)
_DEPTH = 6  # nesting levels that are searched


def error_in(name: str, value: Any, depth: int = _DEPTH) -> Any:
    """Return the object or text that reports a failure in an event of this name, or None."""
    if name and _ends_in(name, _FAILED):
        return value if _filled(value) else ""
    if isinstance(value, str):
        return _error_in_text(value, depth)
    if not isinstance(value, dict) or not depth or _HINTS.isdisjoint(value):
        return None
    if _is_named_failure(value) or _tells_error(value) or _is_nothing_but_an_error(value):
        return value
    return _error_inside(value, depth)


def is_broken_off(word: Any) -> bool:
    """Return whether an end reason means that the output is incomplete."""
    return isinstance(word, str) and _ends_in(word, _BROKEN_OFF)


def _error_in_text(text: str, depth: int) -> Any:
    """Look inside JSON that was encoded twice."""
    if not depth or text.lstrip()[:1] != "{":
        return None
    try:
        return error_in("", json.loads(text), depth - 1)
    except (ValueError, RecursionError):
        return None


def _is_named_failure(value: dict[str, Any]) -> bool:
    if isinstance(status := value.get("status"), str) and _ends_in(status, _FAILED):
        return True
    words = [word for key in ("type", "event", "object") if isinstance(word := value.get(key), str)]
    if any(word.strip().lower() in _FAILED for word in words if word != value.get("object")):
        return True
    # "response.failed", "x-fal-error"; but a "mean_squared_error" is a metric, and has no words.
    told = any(_filled(value.get(key)) for key in (*_ERROR, *_DETAIL, *_WORDS, "response", "data"))
    return told and any(_ends_in(word, _FAILED) for word in words)


def _tells_error(value: dict[str, Any]) -> bool:
    if any(_is_error(value.get(key)) for key in _ERROR):
        return True
    choices = value.get("choices")
    return isinstance(choices, list) and any(
        isinstance(choice, dict)
        and (choice.get("finish_reason") == "error" or _is_error(choice.get("error")))
        for choice in choices
    )


def _is_nothing_but_an_error(value: dict[str, Any]) -> bool:
    """Details, an HTTP code with words, or a false success flag are an error when nothing else is there."""
    filled = {key: told for key, told in value.items() if _filled(told)}
    if not filled.keys() <= _ERROR_NAMES:
        return False
    if any(_is_error(filled.get(key)) for key in _DETAIL):
        return True
    has_words = any(_is_error(filled.get(key)) for key in _WORDS)
    if has_words and any(_is_http_error(filled.get(key)) for key in (*_CODES, "error")):
        return True
    return any(value.get(key) is False for key in _FLAGS)


def _error_inside(value: dict[str, Any], depth: int) -> Any:
    """Look into an envelope: an object with one inner object, besides marks and ids."""
    inner = {key: told for key, told in value.items() if _filled(told) and key not in _MARKS | _IDS}
    if len(inner) != 1:
        return None
    [(key, told)] = inner.items()
    return error_in("", told, depth - 1) if key in _ENVELOPES and isinstance(told, dict) else None


def _is_error(told: Any, depth: int = _DEPTH) -> bool:
    """Text or `true` is an error; empty values, "none" and bare numbers (metrics) are not."""
    if isinstance(told, str):
        text = told.strip()
        return bool(text) and _NO_ERROR.fullmatch(text) is None
    if isinstance(told, list):
        return depth > 0 and any(_is_error(item, depth - 1) for item in told)
    if isinstance(told, dict):
        return depth > 0 and _is_error_object(told, depth - 1)
    return told is True


def _is_error_object(told: dict[str, Any], depth: int) -> bool:
    words = (*_ERROR, *_DETAIL, *_WORDS, "failure", "cause")
    if any(_is_error(told.get(key), depth) for key in words):
        return True
    # A type or code alone is an error, but not next to figures: {"type": "mse", "value": 0.1} is a metric.
    if not {key for key, item in told.items() if _filled(item)} <= _ERROR_NAMES:
        return False
    kinds = (told.get(key) for key in ("type", "name", "error_type", "kind"))
    return any(_is_error(kind, depth) for kind in kinds) or any(
        _is_code(told.get(key)) for key in _CODES
    )


def _is_code(told: Any) -> bool:
    if isinstance(told, int) and not isinstance(told, bool):
        return told != 0 and not 200 <= told < 300
    return _is_error(told)


def _is_http_error(told: Any) -> bool:
    text = str(told) if isinstance(told, int | str) and not isinstance(told, bool) else ""
    return re.fullmatch(r"[45]\d\d", text) is not None


def _ends_in(word: str, words: set[str]) -> bool:
    """Return whether a name ends in one of these words: "response.failed", "StreamError", "x-fal-error"."""
    parts = re.findall(r"[A-Z]?[a-z]+|[A-Z]+", word.strip()[:100])
    lower = [part.lower() for part in parts]
    while len(lower) > 1 and lower[-1] in ("event", "message", "msg", "occurred", "response"):
        lower.pop()
    return bool(lower) and lower[-1] in words and not _DENIED & set(lower)


def _filled(value: Any) -> bool:
    return value is not None and value is not False and value != "" and value != [] and value != {}
