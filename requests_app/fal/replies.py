"""Turn one HTTP reply into a value, or the error that tells the caller what to do next. Pure.

The rule for money: a POST is *refused* only by a 4xx that leaves no doubt, *accepted* only with a
usable request id; everything in between is ``Unanswered`` and is never resent by a machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from .endpoints import REQUEST_ID, EndpointId, Hosts, trusted_urls
from .error_bodies import ErrorBody, parse_error
from .errors import Refused, Unanswered
from .jsontext import NO_JSON, NotJson, parse_with_items, value_of
from .reports import (
    CancelAnswer,
    Receipt,
    Rest,
    StatusReport,
    parse_cancel,
    parse_position,
    parse_status,
    text_or_none,
)

# A server answers these before it forwards a request, or because fal itself would not take it, so
# that nothing runs, whatever the body holds: the key, the money or the limits, the method, the
# size, the type. Other codes may come from a proxy that rewrote fal's answer: 400, 403 and 404 in
# HTML are what a firewall makes of a reply it rejects.
REFUSED_UNREAD = frozenset(
    {401, 402, 405, 407, 411, 413, 414, 415, 417, 421, 422, 426, 428, 429, 431}
)
# A time-out on the way, or the same request exists already: it may run all the same.
LEFT_OPEN = frozenset({408, 409, 425, 499})


@dataclass(frozen=True)
class Reply:
    """A whole HTTP reply; header names in lower case, the body without transfer encoding.

    For a large body ``body`` is the beginning and ``rest`` the remainder.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    rest: Rest | None = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @cached_property
    def value(self) -> Any:
        """Return the JSON value of the body, NO_JSON when it is none."""
        return value_of(self.body)

    @property
    def members(self) -> dict[str, Any] | None:
        """Return the members of the JSON object in the body, None when it holds anything else."""
        return self.value if isinstance(self.value, dict) else None

    @property
    def is_from_fal(self) -> bool:
        """Whether it bears a header that only fal sets."""
        return any(name.startswith("x-fal-") for name in self.headers)

    @property
    def is_json(self) -> bool:
        return self.value is not NO_JSON

    @cached_property
    def error(self) -> ErrorBody:
        """Return the reason in the body of a reply that is no success."""
        return parse_error(self.status_code, self.headers, self.body, parsed=self.value)


def read_receipt(reply: Reply, hosts: Hosts, endpoint: EndpointId) -> Receipt:
    """Parse the reply to a submit. Raises Refused, or Unanswered when the outcome is unknown."""
    members = reply.members
    if not reply.is_success or members is None:
        raise refusal(reply) if is_definite_no(reply) else unreadable(reply, retryable=False)
    request_id = members.get("request_id")
    if not isinstance(request_id, str) or not REQUEST_ID.fullmatch(request_id):
        raise unreadable(reply, retryable=False, missing="a usable request id")
    urls = trusted_urls(hosts, endpoint, request_id, members)
    return Receipt(
        request_id=request_id,
        gateway_request_id=text_or_none(members.get("gateway_request_id")),
        urls=urls,
        queue_position=parse_position(members.get("queue_position")),
    )


def read_status(reply: Reply) -> StatusReport:
    """Parse the reply to a status poll (200 or 202). Raises Refused or Unanswered."""
    if not reply.is_success:
        raise refusal(reply) if is_definite_no(reply) else unreadable(reply, retryable=True)
    try:
        members = parse_with_items(reply.body, "logs")
    except NotJson as exc:
        raise unreadable(reply, retryable=True) from exc
    try:
        return parse_status(members)
    except NotJson as exc:
        raise unreadable(reply, retryable=True, missing="a status") from exc


def read_cancel(reply: Reply) -> CancelAnswer:
    """Parse the reply to a cancel. 400 and 404 are answers too. Raises Refused or Unanswered."""
    if reply.is_success or (reply.status_code in (400, 404) and reply.members is not None):
        return parse_cancel(reply.status_code, reply.body)
    raise refusal(reply) if is_definite_no(reply) else unreadable(reply, retryable=True)


def read_stream_refusal(reply: Reply, *, retryable: bool) -> Refused | Unanswered:
    """Return the error for a non-2xx reply in place of a stream: there is no Result to put it in."""
    if is_definite_no(reply) or is_the_models_word(reply):
        return refusal(reply)
    return unreadable(reply, retryable=retryable)


def is_the_models_word(reply: Reply) -> bool:
    """Whether the error came through fal (then it is the result), and not from a gateway on the
    way.

    UNCONFIRMED in part: fal's own clients take ``x-fal-request-id`` as the proof; the check of the
    body's shape is ours.
    """
    if reply.status_code < 400:
        return False
    if "x-fal-request-id" in reply.headers or "x-fal-error-type" in reply.headers:
        return True
    if reply.status_code in LEFT_OPEN or reply.status_code >= 500:
        return bool({"detail", "error_type"} & (reply.members or {}).keys())
    return reply.is_json


def is_definite_no(reply: Reply) -> bool:
    """Whether the code, and fal's own marks where the code leaves doubt, prove that nothing runs.

    fal's marks are a JSON object and its headers. A 4xx without them comes from some proxy, which
    need not know what fal did.
    """
    code = reply.status_code
    if not 400 <= code < 500 or code in LEFT_OPEN:
        return False
    return code in REFUSED_UNREAD or reply.is_from_fal or reply.members is not None


def refusal(reply: Reply) -> Refused:
    """Return the reply as a definite no, in one sentence."""
    detail = (reply.members or {}).get("detail")
    error = reply.error
    return Refused(
        f"fal refused ({reply.status_code}): {error.detail[:500]}",
        status_code=reply.status_code,
        detail=detail if isinstance(detail, list | str) else error.detail,
        error_type=error.error_type,
        retry_after_s=retry_after_s(reply.headers),
        body=reply.body,
        content_type=reply.headers.get("content-type", ""),
    )


def unreadable(reply: Reply, *, retryable: bool, missing: str = "readable JSON") -> Unanswered:
    """Return the error for a reply that says nothing certain about the outcome."""
    if reply.is_success:
        sentence = f"fal's reply ({reply.status_code}) does not hold {missing}."
    elif reply.status_code < 400:
        sentence = f"The reply was a redirect ({reply.status_code}), which is never followed."
    else:
        reason = f": {reply.error.detail[:300]}" if reply.error.has_reason else "."
        sentence = (
            f"A server on the way to fal, or fal itself, failed ({reply.status_code}){reason}"
        )
    return Unanswered(sentence, retryable=retryable, status_code=reply.status_code, body=reply.body)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait, 1 to 300; None when the header is absent or invalid.

    A date is measured against the reply's own ``Date``, so an error of our clock does not matter.
    """
    text = headers.get("retry-after", "").strip()
    try:
        seconds = float(text)
    except ValueError:
        then, now = http_date(text), http_date(headers.get("date", ""))
        if then is None or now is None:
            return None
        seconds = (then - now).total_seconds()
    return None if math.isnan(seconds) else min(max(seconds, 1.0), 300.0)


def http_date(text: str) -> datetime | None:
    """Parse a date header; None for what is not a date."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
