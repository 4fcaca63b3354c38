"""Explain a failed or uncertain request: what happened, where, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from requests_app.display.advice import (
    BY_CODE,
    BY_MODE,
    BY_REASON,
    KNOWN,
    MID_STREAM,
    SESSION,
    THEIRS,
    YOURS,
)
from requests_app.fal.error_bodies import ErrorBody, parse_error, says_nothing
from requests_app.fal.headers import keeps_input
from requests_app.models import ErrorType, FalRequest, Mode, Observation, Source, Status
from requests_app.rules.storable import storable_text
from requests_app.rules.stream_event import Says, read_event

MAX_FIELDS = 50
MAX_PLACE = 200  # characters
MAX_SENTENCE = 2000  # characters; the whole text is on the Raw tab


@dataclass(frozen=True)
class InvalidField:
    """One invalid field: ``place`` as the user wrote it (``prompt``, ``images[0].url``)."""

    place: str
    message: str
    kind: str


@dataclass(frozen=True)
class Explanation:
    """``tone`` is "yours" (invalid request), "theirs" (fal's or the operator's fault) or "unknown".

    ``search`` says how an uncertain request is searched for, ``found`` the last result worth
    telling; ``looks_at`` is when the next search is due, None: never. ``later`` is what fal
    reported after the end that differs from it.
    """

    tone: str
    title: str
    sentence: str
    advice: str
    fields: tuple[InvalidField, ...] = ()
    search: str = ""
    found: str = ""
    looks_at: datetime | None = None
    later: tuple[Observation, ...] = ()


def explain(row: FalRequest, body: bytes, heard: Sequence[Observation] = ()) -> Explanation | None:
    """Explain why a row is failed or uncertain; None for every other row.

    ``body`` is fal's own answer, ``heard`` the row's newest observations, oldest first.
    """
    match Status(row.status):
        case Status.UNCERTAIN:
            return _uncertain(row, _newest_search(heard))
        case Status.FAILED:
            return _explain_failed(row, body, heard)
        case Status.PENDING | Status.SUBMITTING | Status.IN_QUEUE | Status.IN_PROGRESS:
            return None
        case Status.COMPLETED | Status.CANCELLED:
            return None
        case unexplained:
            assert_never(unexplained)


def _newest_search(heard: Sequence[Observation]) -> Observation | None:
    return next((seen for seen in reversed(heard) if seen.source == Source.LIST), None)


def _explain_failed(row: FalRequest, body: bytes, heard: Sequence[Observation]) -> Explanation:
    later = tuple(seen for seen in heard if seen.kind in ("evidence", "contradiction"))
    if row.is_given_up:
        return _given_up(row, _newest_search(heard), later)
    return replace(_failed(row, body), later=later)


def _failed(row: FalRequest, body: bytes) -> Explanation:
    body = body if _holds_error(row, body) else b""
    error = parse_error(row.error_code or 0, {}, body) if body else ErrorBody("")
    title, advice = _words(row, error)
    return Explanation(
        tone="yours" if row.was_user_error else "theirs",
        title=title,
        sentence=storable_text(_sentence(row, error), MAX_SENTENCE),
        advice=advice,
        fields=_fields(error),
    )


def _sentence(row: FalRequest, error: ErrorBody) -> str:
    """Return the reason: as it was stored, or as the answer gives it."""
    if says_nothing(row.error) and error.detail and error.has_reason:
        return error.detail
    return row.error or error.detail or "No reason was given."


def _holds_error(row: FalRequest, body: bytes) -> bool:
    """Whether the body holds the error: a stream's body is its output unless the last event is an
    error.
    """
    if row.error_type in (ErrorType.RESULT_EXPIRED, ErrorType.LOST_AT_FAL):
        return False  # an output that came too late
    if row.mode != Mode.STREAM or (row.error_code or 0) >= 400:
        return True
    return read_event("", body.decode("utf-8", "replace")).says is Says.ERROR


def _words(row: FalRequest, error: ErrorBody) -> tuple[str, str]:
    types = [row.error_type, error.error_type or "", *(field.type for field in error.fields)]
    for name in types:
        if name == ErrorType.REFUSED:  # the code says more
            continue
        if words := BY_MODE.get((row.mode, name)) or KNOWN.get(name):
            return words
        if name.startswith("runner_connection") or name == "runner_disconnected":
            return "fal lost the machine it ran on", "Try again; nothing was wrong with the input."
    # it began well: only an event reported the failure
    if row.mode == Mode.STREAM and row.error_code == 200:
        return MID_STREAM
    if (
        row.mode == Mode.REALTIME
        and row.error_type == ErrorType.REFUSED
        and row.error_code in SESSION
    ):
        return SESSION[row.error_code]
    by_code = BY_CODE.get(row.error_code or 0)
    if by_code and row.error_code != 422:
        return by_code
    told = f"{row.error} {error.detail}"
    by_reason = next((words for pattern, words in BY_REASON if pattern.search(told)), None)
    if row.error_type == ErrorType.REFUSED:
        return by_reason or by_code or KNOWN[ErrorType.REFUSED]
    return by_reason or by_code or (YOURS if row.was_user_error else THEIRS)


def _fields(error: ErrorBody) -> tuple[InvalidField, ...]:
    return tuple(
        InvalidField(
            storable_text(field.place, MAX_PLACE) or "the whole input",
            storable_text(field.msg, MAX_SENTENCE),
            storable_text(field.type, MAX_PLACE),
        )
        for field in error.fields[:MAX_FIELDS]
    )


def _uncertain(row: FalRequest, told: Observation | None) -> Explanation:
    return Explanation(
        tone="unknown",
        title="It is unknown whether fal took this request",
        sentence=(row.error or "It was sent, and no readable answer came back.")[:MAX_SENTENCE],
        advice=(
            "It may be running, and it may be paid. It is never sent again by itself. "
            "If a webhook arrives, or fal's list shows it, that settles this. Else look at your usage at "
            "fal, then decide."
        ),
        search=_search(row),
        found=told.note if told and told.kind != "list_read" else "",
        looks_at=row.due_at,
    )


def _given_up(
    row: FalRequest, told: Observation | None, later: tuple[Observation, ...]
) -> Explanation:
    title, advice = KNOWN[ErrorType.GIVEN_UP]
    return Explanation(
        tone="unknown",
        title="Given up; fal has told more since" if later else title,
        sentence=row.error[:MAX_SENTENCE],
        advice=advice,
        search=_search(row) if row.is_lost else "",
        found=told.note if told and told.kind not in ("list_read", "evidence", "details") else "",
        looks_at=row.due_at if row.is_lost else None,
        later=later,
    )


def _search(row: FalRequest) -> str:
    """Say how it is searched for in fal's list of finished requests, if it is."""
    if row.due_at is not None:
        return (
            "It is looked for in fal's list of finished requests, which has it only once it has ended. "
            "If exactly one there can be this request, its result is fetched."
        )
    if not keeps_input(row.options):
        return (
            "It cannot be looked for in fal's list of finished requests: it was sent with the option that "
            "fal keeps no input, and nothing else tells it from others."
        )
    return "It is no longer looked for in fal's list of finished requests: after a day the search ends."
