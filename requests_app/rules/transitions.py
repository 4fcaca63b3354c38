"""Pure: decide what a report means for a request. No database, no clock, no network.

`decide(picture, news)` returns a `Change`, or None when nothing is new. The state diagram is at
`models.request.Status`. Three rules:

* live states change freely, also backwards (fal re-queues a request whose runner failed);
* ended states never change: the caller keeps later reports as evidence;
* only fal can make a sent request "cancelled".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import singledispatch
from typing import Any

from requests_app.fal.endpoints import REQUEST_ID
from requests_app.fal.error_bodies import ErrorBody, code_in, parse_error, says_nothing
from requests_app.fal.reports import Receipt, Rest, Result, StatusReport, WebhookReport
from requests_app.models.error_type import ErrorType
from requests_app.models.request import ENDED, Status

CANCELLED_TYPE = "client_cancelled"
MAX_SENTENCE = 4000  # characters of an error; the output has the whole text
MAX_POSITION = 2**31 - 1  # the largest integer that every database takes
CLIENT_CLOSED = 499  # the code a cancelled call ends with


@dataclass(frozen=True)
class Picture:
    """What is known of the request before the report."""

    status: str
    fal_request_id: str = ""
    queue_position: int | None = None
    finished: bool = False  # fal has said COMPLETED; the result is not fetched yet
    cancel_asked: bool = False
    cancel_answer: str = ""

    @property
    def is_ended(self) -> bool:
        """Whether the status is an ended one, which never changes."""
        return self.status in ENDED


@dataclass(frozen=True)
class Change:
    """An update of the row. `columns` are written as they are; `note` is for the timeline.

    Of a large output the column holds the beginning, and `rest` is stored in parts.
    """

    status: str
    kind: str
    note: str
    columns: dict[str, Any] = field(default_factory=dict)
    data: dict[str, Any] = field(default_factory=dict)
    starts: bool = False
    finishes: bool = False
    rest: Rest | None = None

    @property
    def ends(self) -> bool:
        """Whether this change ends the row."""
        return self.status in ENDED


@dataclass(frozen=True)
class LostSubmitFound:
    """A lost submit was found at fal under this id."""

    request_id: str


@dataclass(frozen=True)
class Gone:
    """fal no longer knows the request or its result."""

    what: str  # "request" or "result"


@dataclass(frozen=True)
class CallEnded:
    """The end of a direct call without a result from fal: cut, hung up, timed out.

    It completes only a realtime session, which has no result. `code` is an HTTP status; `data` goes into
    the observation; `came` is the output received so far.
    """

    status: str
    error_type: str
    sentence: str
    code: int | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    came: Result | None = None


News = Receipt | StatusReport | Result | WebhookReport | LostSubmitFound | Gone | CallEnded


def decide(picture: Picture, news: News) -> Change | None:
    """Return the change for a live row; None when the report is not new or the row has ended."""
    if picture.is_ended:
        return None
    return _decide(news, picture)


@singledispatch
def _decide(news: object, picture: Picture) -> Change | None:
    raise TypeError(f"Not news: {type(news).__name__}")


@_decide.register
def _receipt(news: Receipt, picture: Picture) -> Change | None:
    """fal accepted it. A webhook may have arrived before this reply: keep the status it set."""
    columns = identity_of(news)
    is_first = picture.status not in (Status.IN_QUEUE, Status.IN_PROGRESS)
    if is_first:
        columns["queue_position"] = _position(news.queue_position)
    return Change(
        status=Status.IN_QUEUE if is_first else picture.status,
        kind="accepted",
        note="fal took the request.",
        columns=columns,
        data={"queue_position": _position(news.queue_position)},
    )


def identity_of(receipt: Receipt) -> dict[str, Any]:
    """Return the columns that identify the request at fal."""
    gateway_id = receipt.gateway_request_id
    return {
        **({"gateway_request_id": gateway_id[:200]} if gateway_id else {}),
        "fal_request_id": receipt.request_id,
        "status_url": receipt.urls.status,
        "response_url": receipt.urls.result,
        "cancel_url": receipt.urls.cancel,
    }


@_decide.register
def _status(news: StatusReport, picture: Picture) -> Change | None:
    if news.is_completed:
        return _completed_status(news, picture)
    status = {"IN_QUEUE": Status.IN_QUEUE, "IN_PROGRESS": Status.IN_PROGRESS}.get(news.status)
    if status is None:
        return None  # an unknown status changes nothing
    position = _position(news.queue_position) if status == Status.IN_QUEUE else None
    if picture.finished or (status, position) == (picture.status, picture.queue_position):
        return None
    return Change(
        status=status,
        kind="status",
        note=_status_note(status, position, picture),
        columns={"queue_position": position},
        data={"queue_position": position} if position is not None else {},
        starts=status == Status.IN_PROGRESS,
    )


def _position(told: int | None) -> int | None:
    return None if told is None or told > MAX_POSITION else told


def _status_note(status: str, position: int | None, picture: Picture) -> str:
    if status == Status.IN_PROGRESS:
        return "A runner started on it."
    if picture.status == Status.IN_PROGRESS:
        return "fal put it back into the queue."
    if position is None:
        return "Waiting in the queue."
    return "Next in the queue." if position == 0 else f"Waiting; {position} ahead."


def _completed_status(news: StatusReport, picture: Picture) -> Change | None:
    """COMPLETED means success, failure or cancellation; the result tells success from failure."""
    if news.error_type == CANCELLED_TYPE:
        return _cancelled("fal says it was cancelled.", metrics=news.metrics)
    if picture.finished:
        return None
    return _finished("fal has finished; fetching the result.", metrics=news.metrics)


@_decide.register
def _result(news: Result, picture: Picture) -> Change | None:
    columns = _output_columns(news)
    if news.error is None:
        return replace(_completed(columns), rest=news.rest)
    if news.status_code == CLIENT_CLOSED or news.error.error_type == CANCELLED_TYPE:
        return _cancelled("fal says it was cancelled.")
    failed = _failed(news.status_code, news.error.detail, news.error.error_type, columns)
    return replace(failed, rest=news.rest)


def _output_columns(result: Result) -> dict[str, Any]:
    return {
        "output": result.body,
        "output_type": result.content_type[:200],
        "output_size": result.size,
        **({"billable_units": units} if (units := result.billable_units) else {}),
    }


@_decide.register
def _webhook(news: WebhookReport, picture: Picture) -> Change | None:
    identity = _told_identity(news) if not picture.fal_request_id else {}
    gateway = (
        {"gateway_request_id": told} if (told := news.gateway_request_id) else {}
    )  # last attempt
    body = news.payload_bytes
    if news.status == "ERROR":
        return _with(_webhook_error(news), {**identity, **gateway})
    if news.status != "OK" or body is None:
        if picture.finished and not identity:
            return None
        note = news.payload_error or "fal has finished; fetching the result."
        if not identity and not picture.fal_request_id:
            return _unfetchable(picture)
        return _with(_finished(note), {**identity, **gateway})
    columns = {"output": body, "output_type": "application/json", "output_size": len(body)}
    return _with(_completed(columns), {**identity, **gateway})


def _told_identity(news: WebhookReport) -> dict[str, str]:
    """Return the id for a row without one; nothing when the id cannot be part of a URL."""
    return {"fal_request_id": news.request_id} if REQUEST_ID.fullmatch(news.request_id) else {}


def _unfetchable(picture: Picture) -> Change:
    """The request has ended, but has no usable id to fetch the result by; the submit's reply may bring one."""
    note = "fal has finished it, but names it by an id that it cannot be asked for by."
    return Change(picture.status, "webhook", note)


def _webhook_error(news: WebhookReport) -> Change:
    body = news.payload_bytes or b""
    code = code_in(news.error)
    error = parse_error(code or 0, {}, body)
    if CANCELLED_TYPE in (news.error_type, error.error_type) or code == CLIENT_CLOSED:
        return _cancelled("fal says it was cancelled.")
    columns = {"output": body, "output_type": "application/json", "output_size": len(body)}
    sentence = _webhook_sentence(news, error)
    return _failed(code, sentence, news.error_type or error.error_type, columns if body else {})


def _webhook_sentence(news: WebhookReport, error: ErrorBody) -> str:
    """Join all reasons, the webhook's own first; without a reason, use any text it has."""
    told = [news.error or "", error.detail if error.has_reason else "", news.payload_error or ""]
    reasons = [text for text in dict.fromkeys(told) if not says_nothing(text)]
    return "; ".join(reasons) or news.error or error.detail


def _finished(note: str, **columns: Any) -> Change:
    """fal has finished but the result is not fetched: the row stays live until then."""
    return Change(
        status=Status.IN_PROGRESS,
        kind="finished",
        note=note,
        columns={"queue_position": None, **columns},
        finishes=True,
    )


@_decide.register
def _found(news: LostSubmitFound, picture: Picture) -> Change | None:
    """Adopt the id only while the row is uncertain: any other report is more reliable.

    The row is live until a poll fetches its end or learns that it still runs.
    """
    if picture.status != Status.UNCERTAIN:
        return None
    return Change(
        status=Status.IN_PROGRESS,
        kind="found",
        note="fal took it after all: its list has the one request that this can be.",
        columns={"fal_request_id": news.request_id},
    )


@_decide.register
def _gone(news: Gone, picture: Picture) -> Change | None:
    if picture.cancel_asked and picture.cancel_answer in ("requested", "removed"):
        return _cancelled("fal took the cancellation and no longer knows the request.")
    if news.what == "result":
        sentence = "fal finished it but no longer keeps the result: it was asked for too late."
        return _failed(404, sentence, ErrorType.RESULT_EXPIRED, {})
    sentence = "fal does not know this request any more."
    return _failed(404, sentence, ErrorType.LOST_AT_FAL, {})


@_decide.register
def _ended(news: CallEnded, picture: Picture) -> Change | None:
    came = _output_columns(news.came) if news.came else {}
    rest = news.came.rest if news.came else None
    if news.status == Status.CANCELLED:
        return replace(_cancelled(news.sentence, **came), rest=rest)
    if news.status == Status.COMPLETED:
        columns = {"queue_position": None}
        return Change(Status.COMPLETED, "ended", news.sentence, columns, dict(news.data))
    change = _failed(news.code, news.sentence, news.error_type, came)
    return replace(change, data={**change.data, **news.data}, rest=rest)


def _completed(columns: dict[str, Any]) -> Change:
    return Change(
        status=Status.COMPLETED,
        kind="ended",
        note="Completed.",
        columns={"queue_position": None, **columns},
        data={"size": columns["output_size"]},
    )


def _failed(
    code: int | None, sentence: str, error_type: str | None, columns: dict[str, Any]
) -> Change:
    kind = (error_type or "")[:80]
    error = {"error": sentence[:MAX_SENTENCE], "error_type": kind, "error_code": code}
    return Change(
        status=Status.FAILED,
        kind="ended",
        note=sentence[:500],
        columns={"queue_position": None, **error, **columns},
        data={"error_type": kind, "code": code},
    )


def _cancelled(note: str, **columns: Any) -> Change:
    return Change(
        status=Status.CANCELLED,
        kind="ended",
        note=note,
        columns={"queue_position": None, **columns},
    )


def _with(change: Change, columns: dict[str, Any]) -> Change:
    return replace(change, columns={**change.columns, **columns})


def agrees(status: str, news: News) -> bool:
    """Return whether a report about an ended request agrees with the stored end.

    That fal no longer knows the request says nothing about how it ended.
    """
    if isinstance(news, Gone):
        return True
    change = decide(Picture(status=Status.IN_PROGRESS), news)
    return change is None or not change.ends or change.status == status
