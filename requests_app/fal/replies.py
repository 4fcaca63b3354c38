"""One HTTP reply -> what it means: a value, or the error that tells the caller what to do next.
Pure.

The rule for money: a POST is *refused* only when a 4xx came with a JSON object, *accepted* only
with a usable request id; everything between is ``Unanswered`` and is never sent again by a machine.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .endpoints import REQUEST_ID, EndpointId, Hosts, trusted_urls
from .error_bodies import parse_error
from .errors import NotFinished, Refused, Unanswered
from .jsontext import NotJson, parse_json, parse_object, parse_with_items
from .reports import (
    CancelAnswer,
    Receipt,
    Rest,
    Result,
    StatusReport,
    parse_cancel,
    parse_position,
    parse_status,
    text_or_none,
)

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
_PATH_NOT_FOUND = re.compile(r"path \S+ not found", re.IGNORECASE)
_NOT_FOUND = re.compile(
    r"(not found|(the )?(request|application|app|endpoint|model)\b.{0,80}\bnot found)\.?",
    re.IGNORECASE,
)
_IN_PROGRESS = re.compile(r"still in (progress|queue)", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """A whole HTTP reply; header names in lower case, the body decoded from its transfer.

    Of a large body there is the beginning; ``rest`` is the remainder.
    """

    status_code: int
    headers: Mapping[str, str]
    body: bytes
    rest: Rest | None = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status_code < 300

    @property
    def members(self) -> dict[str, Any] | None:
        """The members of the JSON object in the body, None when it holds anything else."""
        try:
            return parse_object(self.body)
        except NotJson:
            return None

    @property
    def is_json(self) -> bool:
        try:
            parse_json(self.body)
        except NotJson:
            return False
        return True


def read_receipt(reply: Reply, hosts: Hosts, endpoint: EndpointId) -> Receipt:
    """The reply to a submit. Raises Refused, or Unanswered when the outcome is unknown."""
    members = reply.members
    if not reply.is_success or members is None:
        raise refusal(reply) if _is_definite_no(reply) else unreadable(reply, retryable=False)
    request_id = members.get("request_id")
    if not isinstance(request_id, str) or not REQUEST_ID.fullmatch(request_id):
        raise unreadable(reply, retryable=False, missing="a usable request id")
    urls = trusted_urls(hosts, endpoint, request_id, members)
    kept = {"status_url": urls.status, "response_url": urls.result, "cancel_url": urls.cancel}
    return Receipt(
        request_id=request_id,
        gateway_request_id=text_or_none(members.get("gateway_request_id")),
        urls=urls,
        queue_position=parse_position(members.get("queue_position")),
        distrusted=tuple(
            n for n, url in kept.items() if members.get(n) is not None and members[n] != url
        ),
    )


def read_status(reply: Reply) -> StatusReport:
    """The reply to a status question (200 or 202). Raises Refused or Unanswered."""
    if not reply.is_success:
        raise refusal(reply) if _is_definite_no(reply) else unreadable(reply, retryable=True)
    try:
        members = parse_with_items(reply.body, "logs")
    except NotJson as exc:
        raise unreadable(reply, retryable=True) from exc
    try:
        return parse_status(members)
    except NotJson as exc:
        raise unreadable(reply, retryable=True, missing="a status") from exc


def read_result(reply: Reply, *, retryable: bool) -> Result:
    """The reply to a result question or to run. Raises Refused, NotFinished or Unanswered."""
    if reply.is_success:
        if retryable and _is_a_page_on_the_way(reply):
            raise unreadable(reply, retryable=True, missing="a result")
        return _result(reply)
    if _is_not_finished(reply):
        raise NotFinished("The request is still in progress.")
    if _is_definite_no(reply) and (
        reply.status_code in (401, 403, 429) or _is_unknown_address(reply)
    ):
        raise refusal(reply)
    if _is_the_models_word(reply):
        return _result(reply)
    raise unreadable(reply, retryable=retryable)


def read_cancel(reply: Reply) -> CancelAnswer:
    """The reply to a cancel. 400 and 404 are answers too. Raises Refused or Unanswered."""
    if reply.is_success or (reply.status_code in (400, 404) and reply.members is not None):
        return parse_cancel(reply.status_code, reply.body)
    raise refusal(reply) if _is_definite_no(reply) else unreadable(reply, retryable=True)


def read_stream_refusal(reply: Reply, *, retryable: bool) -> Refused | Unanswered:
    """The error to raise for a non-2xx reply where a stream was expected: there is no Result to put
    it in.
    """
    if _is_definite_no(reply) or _is_the_models_word(reply):
        return refusal(reply)
    return unreadable(reply, retryable=retryable)


def _result(reply: Reply) -> Result:
    headers = {name: value for name, value in reply.headers.items() if name in USEFUL_HEADERS}
    error = None if reply.is_success else parse_error(reply.status_code, reply.headers, reply.body)
    return Result(
        status_code=reply.status_code,
        headers=headers,
        content_type=headers.get("content-type", ""),
        body=reply.body,
        error=error,
        request_id=headers.get("x-fal-request-id"),
        rest=reply.rest,
    )


def _is_definite_no(reply: Reply) -> bool:
    """A 4xx page in HTML comes from some gateway on the way, which does not know what fal did."""
    return 400 <= reply.status_code < 500 and reply.members is not None


def _is_a_page_on_the_way(reply: Reply) -> bool:
    """A page in HTML with 200 that does not bear fal's request id: a proxy or a portal wrote it.

    Taken for a result it would end the request with a wrong output for ever; asked again, fal's comes.
    """
    media_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media_type == "text/html" and "x-fal-request-id" not in reply.headers


def _is_not_finished(reply: Reply) -> bool:
    """UNCONFIRMED: only third parties report this 400 and its text."""
    detail = (reply.members or {}).get("detail")
    return (
        reply.status_code == 400 and isinstance(detail, str) and bool(_IN_PROGRESS.search(detail))
    )


def _is_unknown_address(reply: Reply) -> bool:
    """Is this 404 or 410 fal's (id unknown, path wrong, kept no longer) and not the model's own?

    UNCONFIRMED: three shapes are reported, the one after retention is not known. A list of field
    errors or an error type is always the model's or the runner's.
    """
    if reply.status_code not in (404, 410):
        return False
    members = reply.members or {}
    if (
        isinstance(members.get("detail"), list)
        or "error_type" in members
        or "x-fal-error-type" in reply.headers
    ):
        return False
    text = parse_error(reply.status_code, {}, reply.body).detail
    if "detail" not in members:
        return True
    return bool(_PATH_NOT_FOUND.search(text) or _NOT_FOUND.fullmatch(text))


def _is_the_models_word(reply: Reply) -> bool:
    """Did the error come through fal (then it is the result), and not from a gateway on the way?

    UNCONFIRMED in part: fal's own clients take ``x-fal-request-id`` as the proof; the shape of the
    body is ours.
    """
    if reply.status_code < 400:
        return False
    if "x-fal-request-id" in reply.headers or "x-fal-error-type" in reply.headers:
        return True
    if reply.status_code < 500:
        return reply.is_json
    return bool({"detail", "error_type"} & (reply.members or {}).keys())


def refusal(reply: Reply) -> Refused:
    """The reply as a definite no, in one sentence."""
    detail = (reply.members or {}).get("detail")
    error = parse_error(reply.status_code, reply.headers, reply.body)
    return Refused(
        f"fal refused ({reply.status_code}): {error.detail[:500]}",
        status_code=reply.status_code,
        detail=detail if isinstance(detail, list | str) else error.detail,
        error_type=error.error_type,
        retry_after_s=retry_after_s(reply.headers),
        body=reply.body,
    )


def unreadable(reply: Reply, *, retryable: bool, missing: str = "readable JSON") -> Unanswered:
    """The reply says nothing certain about the outcome."""
    if reply.is_success:
        sentence = f"fal's reply ({reply.status_code}) does not hold {missing}."
    elif reply.status_code < 400:
        sentence = f"The reply was a redirect ({reply.status_code}), which is never followed."
    else:
        sentence = f"A server on the way to fal, or fal itself, failed ({reply.status_code})."
    return Unanswered(sentence, retryable=retryable, status_code=reply.status_code, body=reply.body)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait, 1 to 300; None when the header is absent or junk.

    A date is measured against the reply's own ``Date``, so neither our clock nor its error comes
    in.
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
    """The moment a header names; None for what is no date."""
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError, TypeError):
        return None
    return when if when.tzinfo else when.replace(tzinfo=UTC)
