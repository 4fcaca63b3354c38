"""Fetch the result of a finished request. `rules.paid_result` decides when to stop retrying."""

from __future__ import annotations

from dataclasses import replace

from django.utils import timezone

from requests_app import lifecycle
from requests_app.fal import (
    NotFinished,
    NotTheResult,
    Refused,
    RequestUrls,
    Result,
    StatusReport,
    TooLarge,
    parse_error,
)
from requests_app.fal.error_bodies import code_in
from requests_app.keys import Key
from requests_app.models import ErrorType, FalRequest, Status
from requests_app.rules.paid_result import (
    Doubt,
    completed_by,
    judge_denial,
    judge_doubt,
    names_error,
)
from requests_app.rules.transitions import CallEnded, Gone
from requests_app.worker.loop import connections, pool


async def fetch(
    row: FalRequest, urls: RequestUrls, report: StatusReport, key: Key
) -> Result | CallEnded | Gone | None:
    """Return the end of this request; None means retry. Raises FalError when fal cannot be reached.

    The caller closes a Result.
    """
    try:
        async with connections.calls:
            result = await connections.client(key).result(urls)
        return completed_by(result, report)
    except TooLarge as error:  # a retry would download the same megabytes again
        return CallEnded(
            Status.FAILED, ErrorType.OUTPUT_TOO_LARGE, f"fal finished it, but: {error}"
        )
    except NotFinished as error:  # the status was ahead of the result
        return await _doubted(row, report, Doubt(str(error), 0))
    except NotTheResult as error:
        doubt = Doubt(str(error), error.status_code or 0, error.is_from_fal, error.believed)
        if end := await _doubted(row, report, doubt):
            return end
        error.believed.close()
        raise
    except Refused as error:
        return await _refused(row, report, error)


async def _doubted(
    row: FalRequest, report: StatusReport, doubt: Doubt
) -> Result | CallEnded | None:
    now = timezone.now()
    doubts = await pool.in_database(lifecycle.note_doubt, row.pk, doubt, now=now)
    return judge_doubt(doubt, doubts, report, now=now)


async def _refused(
    row: FalRequest, report: StatusReport, error: Refused
) -> Result | CallEnded | Gone | None:
    """Judge a refusal: the model's own error when the status names it, else fal's answer to our call."""
    if names_error(report) and code_in(report.error) == error.status_code:
        return completed_by(_as_result(error), report)
    if not error.is_gone:
        raise error
    now = timezone.now()
    denials = await pool.in_database(lifecycle.note_denied, row.pk, "result", now=now)
    return judge_denial(
        denials,
        report,
        since_end=now - (row.finished_at or now),
        is_cancelled=row.cancel_answer in ("requested", "removed"),
    )


def _as_result(error: Refused) -> Result:
    told = parse_error(error.status_code, {}, error.body)
    told = replace(told, error_type=told.error_type or error.error_type)
    return Result(error.status_code, {}, error.content_type, error.body, told)
