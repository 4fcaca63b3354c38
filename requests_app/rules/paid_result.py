"""Pure: fal has finished a request, and what was fetched is not its result. What now?

The run is paid by then. So it is fetched again as long as fal may keep the result, and only fal's own
word ends it sooner: an error in its status, its refusal, or the same answer again and again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from requests_app.fal.error_bodies import ErrorBody, code_in, says_nothing
from requests_app.fal.reports import Result, StatusReport
from requests_app.models.error_type import ErrorType
from requests_app.models.request import Status
from requests_app.rules.transitions import Ended, Gone

KEPT_AT_LEAST = timedelta(minutes=6)  # how long fal keeps a large result after the end
KEPT_AT_MOST = timedelta(hours=1)  # a small one; with payload storage longer
SAME_BEFORE_BELIEVED = 5  # answers in a row, with their back-off: a quarter of a minute
DENIALS_OF_RESULT = 5  # "unknown" in a row, before one more is believed


@dataclass(frozen=True)
class Doubt:
    """An answer in the place of a result. ``believed`` is what it is if it never changes."""

    sentence: str
    status_code: int
    is_from_fal: bool = False
    believed: Result | None = None


@dataclass(frozen=True)
class Doubts:
    """All such answers so far, the newest included: how many, the last how many alike, since when."""

    count: int
    alike: int
    since: datetime


def completed_by(result: Result, report: StatusReport) -> Result:
    """The result with what only the status tells of its error."""
    error = result.error
    if error is None:
        return result
    says_more = not error.has_reason and report.error and not says_nothing(report.error)
    return replace(
        result,
        error=replace(
            error,
            detail=report.error if says_more and report.error else error.detail,
            error_type=error.error_type or report.error_type,
        ),
    )


def judge_doubt(
    doubt: Doubt, doubts: Doubts, report: StatusReport, *, now: datetime
) -> Result | Ended | None:
    """The end this answer is, by now; None: fetch it again."""
    if names_error(report):
        is_it = doubt.is_from_fal or code_in(report.error) == doubt.status_code
        if is_it and doubt.believed is not None and not doubt.believed.ok:
            return completed_by(doubt.believed, report)
        return ended_by(report) if doubts.count >= SAME_BEFORE_BELIEVED else None
    if doubt.is_from_fal and doubts.alike >= SAME_BEFORE_BELIEVED:
        return doubt.believed
    return _unreadable(doubt) if now - doubts.since >= KEPT_AT_MOST else None


def _unreadable(doubt: Doubt) -> Result | Ended:
    """Nothing better will come: what came is kept."""
    hour = f"fal finished it, but what it answers is not the result: {doubt.sentence}"
    if doubt.believed is None:
        return Ended(Status.FAILED, ErrorType.RESULT_UNREADABLE, hour, doubt.status_code or None)
    return replace(doubt.believed, error=ErrorBody(hour, error_type=ErrorType.RESULT_UNREADABLE))


def judge_denial(
    denials: int, report: StatusReport, *, since_end: timedelta, is_cancelled: bool
) -> Gone | Ended | None:
    """fal says that it does not know the result; None: ask again.

    While fal must still keep it, that cannot be true. Of what was cancelled there may never be one.
    """
    if denials <= DENIALS_OF_RESULT:
        return None
    if names_error(report) and not is_cancelled:
        return ended_by(report)
    return Gone("result") if is_cancelled or since_end >= KEPT_AT_LEAST else None


def names_error(report: StatusReport) -> bool:
    """Whether fal's status says that the request failed."""
    return bool(report.error or report.error_type)


def ended_by(report: StatusReport) -> Ended:
    """The end that the status alone tells."""
    sentence = report.error or f"fal reported an error: {report.error_type}"
    return Ended(Status.FAILED, report.error_type or "", sentence, code_in(report.error))
