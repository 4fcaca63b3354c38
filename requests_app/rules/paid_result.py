"""Pure: decide what to do when fal has finished a request but the fetched answer is not its result.

The run is billed by then. So the fetch is retried as long as fal may keep the result; only fal itself ends
it sooner, by an error in the status, a refusal, or the same answer several times in a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from requests_app.fal.error_bodies import ErrorBody, code_in, says_nothing
from requests_app.fal.reports import Result, StatusReport
from requests_app.models.error_type import ErrorType
from requests_app.models.request import Status
from requests_app.rules.transitions import CallEnded, Gone

KEPT_AT_LEAST = timedelta(minutes=6)  # how long fal keeps a large result after the end
KEPT_AT_MOST = timedelta(hours=1)  # a small result; longer with payload storage
SAME_BEFORE_BELIEVED = 5  # equal answers in a row, with their backoff: a quarter of a minute
DENIALS_OF_RESULT = 5  # denials in a row before the next one is believed


@dataclass(frozen=True)
class Doubt:
    """An answer in place of a result. ``believed`` is the result to store if the answer never changes."""

    sentence: str
    status_code: int
    is_from_fal: bool = False
    believed: Result | None = None


@dataclass(frozen=True)
class Doubts:
    """All doubtful answers so far: how many, how many equal ones at the end, and since when."""

    count: int
    alike: int
    since: datetime


def completed_by(result: Result, report: StatusReport) -> Result:
    """Return the result with the error details that only the status has."""
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
) -> Result | CallEnded | None:
    """Return the end of the request, or None to fetch the result again."""
    if names_error(report):
        is_it = doubt.is_from_fal or code_in(report.error) == doubt.status_code
        if is_it and doubt.believed is not None and not doubt.believed.ok:
            return completed_by(doubt.believed, report)
        return ended_by(report) if doubts.count >= SAME_BEFORE_BELIEVED else None
    if doubt.is_from_fal and doubts.alike >= SAME_BEFORE_BELIEVED:
        return doubt.believed
    return _unreadable(doubt) if now - doubts.since >= KEPT_AT_MOST else None


def _unreadable(doubt: Doubt) -> Result | CallEnded:
    """Make an end of an unreadable result, keeping what came."""
    sentence = f"fal finished it, but what it answers is not the result: {doubt.sentence}"
    if doubt.believed is None:
        return CallEnded(
            Status.FAILED, ErrorType.RESULT_UNREADABLE, sentence, doubt.status_code or None
        )
    return replace(
        doubt.believed, error=ErrorBody(sentence, error_type=ErrorType.RESULT_UNREADABLE)
    )


def judge_denial(
    denials: int, report: StatusReport, *, since_end: timedelta, is_cancelled: bool
) -> Gone | CallEnded | None:
    """Judge fal's answer that it does not know the result; None means retry.

    While fal must still keep the result, the answer cannot be true. A cancelled request may have none.
    """
    if denials <= DENIALS_OF_RESULT:
        return None
    if names_error(report) and not is_cancelled:
        return ended_by(report)
    return Gone("result") if is_cancelled or since_end >= KEPT_AT_LEAST else None


def names_error(report: StatusReport) -> bool:
    """Return whether fal's status says that the request failed."""
    return bool(report.error or report.error_type)


def ended_by(report: StatusReport) -> CallEnded:
    """Make an end from the status alone."""
    sentence = report.error or f"fal reported an error: {report.error_type}"
    return CallEnded(Status.FAILED, report.error_type or "", sentence, code_in(report.error))
