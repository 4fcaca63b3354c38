"""Fill in missing details of a request that has ended, or of which only the result is missing.

A webhook has no metrics, a status has no output, and either may be the only one with the reason: none of
it is lost, whichever arrives first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import singledispatch
from typing import Any

from django.utils import timezone

from requests_app.fal.endpoints import REQUEST_ID
from requests_app.fal.error_bodies import ErrorBody, code_in, parse_error, says_nothing
from requests_app.fal.reports import Receipt, Rest, Result, StatusReport, WebhookReport
from requests_app.models import FalRequest, Status
from requests_app.rules.transitions import MAX_SENTENCE, LostSubmitFound, identity_of

CENTURY_S = 3e9


@dataclass(frozen=True)
class Details:
    """The columns that are still empty and their values; `data` is for the observation."""

    columns: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    rest: Rest | None = None


@singledispatch
def details_of(news: object, row: FalRequest) -> Details:
    """Return what a report adds to the row; nothing for types without a registered function."""
    return Details()


@details_of.register
def _receipt(news: Receipt, row: FalRequest) -> Details:
    if not row.is_ended:
        return Details()
    known = identity_of(news) | {"accepted_at": row.accepted_at or timezone.now()}
    if row.gateway_request_id:  # set by a webhook, which names the last attempt
        known.pop("gateway_request_id", None)
    columns = {name: told for name, told in known.items() if getattr(row, name) != told}
    return Details(columns, "fal's reply to the submit came after the end.")


@details_of.register
def _found(news: LostSubmitFound, row: FalRequest) -> Details:
    if not row.is_given_up or row.fal_request_id:
        return Details()
    return Details({"fal_request_id": news.request_id}, "fal's list told its id.")


@details_of.register
def _status(news: StatusReport, row: FalRequest) -> Details:
    if not news.is_completed:
        return Details()
    columns: dict[str, Any] = {}
    if metrics := {name: told for name, told in news.metrics.items() if name not in row.metrics}:
        columns["metrics"] = {**row.metrics, **metrics}
        columns |= derived_start(row, columns["metrics"], row.finished_at or row.ended_at)
    error = ErrorBody(news.error or "", error_type=news.error_type)
    columns |= _reason(row, error, code_in(news.error))
    return Details(columns, _note("fal's status", columns), _other_type(row, news.error_type))


@details_of.register
def _webhook(news: WebhookReport, row: FalRequest) -> Details:
    if not row.is_ended:
        return Details()
    columns: dict[str, Any] = {}
    if not row.fal_request_id and REQUEST_ID.fullmatch(news.request_id):
        columns["fal_request_id"] = news.request_id
    if news.gateway_request_id and not row.gateway_request_id:
        columns["gateway_request_id"] = news.gateway_request_id[:200]
    body = news.payload_bytes or b""
    if body and lacks_output(row):
        columns |= {"output": body, "output_type": "application/json", "output_size": len(body)}
    if news.status == "ERROR":
        told = parse_error(0, {}, body)
        words = told.detail if told.has_reason else news.error or news.payload_error or ""
        kind = news.error_type or told.error_type
        columns |= _reason(row, ErrorBody(words, error_type=kind), code_in(news.error))
    return Details(columns, _note("A webhook", columns), _other_type(row, news.error_type))


@details_of.register
def _result(news: Result, row: FalRequest) -> Details:
    if not lacks_output(row):
        return Details()
    columns: dict[str, Any] = {
        "output": news.body,
        "output_type": news.content_type[:200],
        "output_size": news.size,
        **({"billable_units": units} if (units := news.billable_units) else {}),
    }
    if news.error is not None:
        columns |= _reason(row, news.error, news.status_code)
    return Details(columns, "fal's answer was fetched after the end.", rest=news.rest)


def lacks_output(row: FalRequest) -> bool:
    """Return whether a failed request has no stored answer of fal's; fal may still have one."""
    removed = row.payload_removed_at is not None
    return row.status == Status.FAILED and not row.output_size and not removed


def _reason(row: FalRequest, error: ErrorBody, code: int | None) -> dict[str, Any]:
    """Return values for the error columns that are still empty."""
    if row.status != Status.FAILED or row.is_given_up:
        return {}
    columns: dict[str, Any] = {}
    is_kept = row.payload_removed_at is None  # its sentence may quote the input
    if is_kept and says_nothing(row.error) and error.has_reason:
        columns["error"] = error.detail[:MAX_SENTENCE]
    if not row.error_type and error.error_type:
        columns["error_type"] = error.error_type[:80]
    if row.error_code is None and code:
        columns["error_code"] = code
    return columns


def _other_type(row: FalRequest, told: str | None) -> dict[str, Any]:
    """Return an error type that differs from the stored one, to be kept in the observation."""
    differs = row.status == Status.FAILED and told and row.error_type and told != row.error_type
    return {"error_type": (told or "")[:80]} if differs else {}


_NAMES = {
    "metrics": "metrics", "started_at": "start time", "error": "the reason", "error_type": "error type",
    "error_code": "code", "output": "output", "fal_request_id": "fal's id", "gateway_request_id": "gateway id",
}  # fmt: skip


def _note(source: str, columns: Mapping[str, Any]) -> str:
    told = [name for column, name in _NAMES.items() if column in columns]
    return f"{source} added: {', '.join(told)}." if told else ""


def derived_start(
    row: FalRequest, metrics: Mapping[str, Any], ended_at: datetime | None
) -> dict[str, Any]:
    """Derive the start of a request that was never polled while it ran: its end minus fal's run time."""
    seconds = _seconds(metrics.get("inference_time"))
    if row.started_at or row.is_given_up or not ended_at or seconds is None:
        return {}
    sent_at = row.accepted_at or row.sent_at or row.created_at
    started_at = max(sent_at, ended_at - timedelta(seconds=seconds))
    return {"started_at": min(started_at, ended_at), "started_at_is_derived": True}


def _seconds(told: object) -> float | None:
    """Return a plausible duration: no NaN, no text, less than a century."""
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    return float(told) if 0 <= told < CENTURY_S else None  # false for NaN
