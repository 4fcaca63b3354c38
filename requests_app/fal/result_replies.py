"""Turn one reply into the result, or the error that says what came instead. Pure.

fal bills a queued request when it has run, so its result is fetched until it comes: from the queue
only a reply that can be nothing else is taken for it. A direct run cannot be asked again: its
reply is kept.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from .errors import NotFinished, NotTheResult
from .replies import Reply, is_definite_no, is_the_models_word, refusal, unreadable
from .reports import COMPLETED, STATUSES, Result

USEFUL_HEADERS = frozenset(
    {
        "content-type",
        "date",
        "retry-after",
        "x-fal-billable-units",
        "x-fal-error-type",
        "x-fal-needs-retry",
        "x-fal-request-id",
        "x-fal-request-timeout-type",
        "x-fal-retryable",
        "x-fal-runner-hints",
        "x-fal-served-from",
    }
)
_STATUS_NAMES = frozenset(
    {
        "status", "request_id", "gateway_request_id", "response_url", "status_url", "cancel_url",
        "queue_position", "logs", "metrics", "error", "error_type",
    }
)  # fmt: skip
_ACCOUNT = frozenset(
    {401, 402, 403, 407, 429}
)  # about the key and its limits, not about the request
_PATH_NOT_FOUND = re.compile(r"path \S+ not found", re.IGNORECASE)
_NOT_FOUND = re.compile(
    r"(not found|(the )?(request|application|app|endpoint|model)\b.{0,80}\bnot found)\.?",
    re.IGNORECASE,
)
_IN_PROGRESS = re.compile(r"still in (progress|queue)", re.IGNORECASE)
_PAGE = re.compile(rb"\s*<(!doctype\s+html|html)\b", re.IGNORECASE)
_ENDS = {b"{": b"}", b"[": b"]", b'"': b'"'}
# Only checks completeness: no value is needed, and a model may write NaN or a line break in a
# string.
_DECODER = json.JSONDecoder(strict=False, parse_int=str, parse_float=str)
_UNREADABLE = object()


def read_run_result(reply: Reply) -> Result:
    """Parse the reply to a direct run. Raises Refused or Unanswered."""
    if reply.is_success:
        return _result(reply)
    if is_definite_no(reply) and (reply.status_code in _ACCOUNT or _is_unknown_address(reply)):
        raise refusal(reply)
    if is_the_models_word(reply):
        return _result(reply)
    raise refusal(reply) if is_definite_no(reply) else unreadable(reply, retryable=False)


def read_queue_result(reply: Reply) -> Result:
    """Parse the reply to a fetch of a result. Raises Refused, NotFinished or NotTheResult."""
    if reply.is_success:
        return _fetched(reply)
    if _is_not_finished(reply):
        raise NotFinished("The request is still in progress.")
    if is_definite_no(reply) and (reply.status_code in _ACCOUNT or _is_unknown_address(reply)):
        raise refusal(reply)
    if reply.status_code < 500 and is_the_models_word(reply):
        return _result(reply)
    raise _not_the_result(reply)


# --- a success that may not be the result ---------------------------------------------------------


def _fetched(reply: Reply) -> Result:
    value = _value(reply)
    members = value if isinstance(value, dict) else {}
    if _is_live_status(members) or (reply.status_code == 202 and not reply.is_from_fal):
        raise NotFinished("fal's answer in place of the result is that it is still in progress.")
    if missing := _missing(reply, value, members):
        raise _not_the_result(reply, missing=missing)
    return _result(reply)


def _missing(reply: Reply, value: Any, members: Mapping[str, Any]) -> str:
    """Say what a result would have and this reply lacks; "" for a result."""
    if not reply.body.strip():
        return "anything"
    if _is_status(members) and len(members) > 1:
        return "a result, but a status"
    if value is not _UNREADABLE:
        return ""
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_page = media_type == "text/html" or _PAGE.match(reply.body) is not None
    if media_type == "application/json" or media_type.endswith("+json"):
        return "whole JSON"
    if is_page or not media_type or media_type.startswith("text/"):  # a model may answer with one
        return "" if reply.is_from_fal else "a result"
    return ""


def _value(reply: Reply) -> Any:
    """Return the JSON value of the body, for its shape only. For a large one only the ends are
    checked.
    """
    if reply.rest is not None:
        return None if _ENDS.get(reply.body.lstrip()[:1]) == reply.rest.last_byte else _UNREADABLE
    text = reply.body.decode(json.detect_encoding(reply.body), "replace").removeprefix("\ufeff")
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        return _UNREADABLE
    except RecursionError:  # nested too deeply to be parsed here, but not malformed so far
        return None


def _is_status(members: Mapping[str, Any]) -> bool:
    status = members.get("status")
    return isinstance(status, str) and status in STATUSES and members.keys() <= _STATUS_NAMES


def _is_live_status(members: Mapping[str, Any]) -> bool:
    return _is_status(members) and members["status"] != COMPLETED


# --- an error, and whose it is --------------------------------------------------------------------


def _is_not_finished(reply: Reply) -> bool:
    """UNCONFIRMED: only third parties report this 400 and its text."""
    detail = (reply.members or {}).get("detail")
    return (
        reply.status_code == 400 and isinstance(detail, str) and bool(_IN_PROGRESS.search(detail))
    )


def _is_unknown_address(reply: Reply) -> bool:
    """Whether this 404 or 410 is fal's (unknown id, wrong path, past retention) and not the model's
    own.

    UNCONFIRMED: three shapes are reported, the one after retention is not known. A list of field
    errors or an error type is always the model's or the runner's.
    """
    if reply.status_code not in (404, 410):
        return False
    members = reply.members or {}
    if (
        isinstance(members.get("detail"), list | dict)
        or "error_type" in members
        or "x-fal-error-type" in reply.headers
    ):
        return False
    if "detail" not in members:
        return True
    text = reply.error.detail
    return bool(_PATH_NOT_FOUND.search(text) or _NOT_FOUND.fullmatch(text))


def _not_the_result(reply: Reply, *, missing: str = "") -> NotTheResult:
    told = unreadable(reply, retryable=True, missing=missing or "a result")
    return NotTheResult(
        str(told),
        status_code=reply.status_code,
        is_from_fal=reply.is_from_fal,
        believed=_result(reply),
    )


def _result(reply: Reply) -> Result:
    headers = {name: value for name, value in reply.headers.items() if name in USEFUL_HEADERS}
    return Result(
        status_code=reply.status_code,
        headers=headers,
        content_type=headers.get("content-type", ""),
        body=reply.body,
        error=None if reply.is_success else reply.error,
        request_id=headers.get("x-fal-request-id"),
        rest=reply.rest,
    )
