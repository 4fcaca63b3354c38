"""Sending: the one right to send a row, and what the answer was."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When

from requests_app.fal.error_bodies import parse_error
from requests_app.fal.errors import FalError, Refused
from requests_app.fal.headers import keeps_input
from requests_app.lifecycle.hearing import observe
from requests_app.lifecycle.person import create
from requests_app.lifecycle.writing import apply, locked, record
from requests_app.models import (
    ErrorType,
    FalRequest,
    Mode,
    Observation,
    Source,
    Status,
    Team,
    digest,
)
from requests_app.request_input import Draft
from requests_app.rules import schedule
from requests_app.rules.transitions import Change, Ended

LEASE = timedelta(seconds=20)  # renewed while a call lasts; a dead process's rows move on after it
CONCURRENCY = "concurrent_requests_limit"  # fal's word for too many requests of one account
MOST_REFUSALS = 20  # "too many requests" to as many attempts in a row, then the row fails


@dataclass(frozen=True)
class Claim:
    """One attempt, taken by one worker: all that is needed to send it."""

    pk: int
    public_id: UUID
    mode: str
    endpoint_id: str
    body: bytes
    options: dict[str, Any]
    webhook_secret: str
    lease: UUID
    until: datetime  # as long as nobody else may touch the row; later if the lease is renewed


def claim(pk: int, *, now: datetime) -> Claim | None:
    """Take the one right to send this row; None when it is not to be sent (any more).

    The webhook's secret is kept as a digest before anything leaves, so that a webhook that beats the
    reply finds its row.
    """
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = (
            FalRequest.objects.select_for_update()
            .filter(pk=pk, status=Status.PENDING, due_at__lte=now)
            .first()
        )
        if row is None:
            return None
        lease, until = uuid4(), now + LEASE
        apply(
            row,
            Change(Status.SUBMITTING, "sent", "Sending to fal."),
            Source.US,
            at=now,
            webhook_digest=digest(secret),
            lease=lease,
            leased_until=until,
            due_at=until,
            sent_at=now,
        )
        return Claim(
            row.pk,
            row.public_id,
            row.mode,
            row.endpoint_id,
            row.input_text.encode(),
            row.options,
            secret,
            lease,
            until,
        )


def open_session(draft: Draft, *, team: Team, person: AbstractBaseUser, now: datetime) -> Claim:
    """Record a realtime session and take it at once: the person's own socket holds it."""
    with transaction.atomic():
        row = create(draft, team=team, person=person, now=now)
        claimed = claim(row.pk, now=now)
    if claimed is None:
        raise RuntimeError(
            "A row that was created in this transaction was leased by another process."
        )
    return claimed


def not_sent(pk: int, error: FalError, *, lease: UUID, now: datetime) -> None:
    """Not a byte reached fal: back to pending, to be sent later.

    `lease`, here and below, is the fence: a process that was stopped for long, or that tells its news
    twice because the database went away over the first time, must not undo what a later attempt does.
    """
    note = f"{error} It was not sent, and is tried again."
    _back_to_pending(pk, "not_sent", note, None, lease=lease, now=now)


def refused(pk: int, error: Refused, *, lease: UUID, now: datetime) -> None:
    """fal said no: "too many requests" is asked again later, anything else ends the row."""
    if error.is_rate_limit and _may_wait(pk, error):
        note = f"fal asked us to wait: {error}"
        _back_to_pending(pk, "postponed", note, error.retry_after_s, lease=lease, now=now)
        return
    columns = {
        "error": str(error),
        "error_type": _refusal(pk, error)[:80],
        "error_code": error.status_code,
        "output": error.body,
        "output_type": error.content_type[:200],
        "output_size": len(error.body),
    }
    detail = parse_error(error.status_code, {}, error.body).detail
    note = f"fal refused it: {detail}"[:500]
    data = {"code": error.status_code, "error_type": error.error_type or ""}
    _end_or_ignore(pk, Change(Status.FAILED, "ended", note, columns, data), lease=lease, now=now)


def _refusal(pk: int, error: Refused) -> str:
    own = ErrorType.QUEUE_TOO_LONG if _is_too_long(pk, error) else None
    return own or error.error_type or ErrorType.REFUSED


def _is_too_long(pk: int, error: Refused) -> bool:
    """Whether fal's queue is longer than the request allows; a limit of the account is told apart."""
    options = FalRequest.objects.values_list("options", flat=True).get(pk=pk)
    is_limited = "max_queue_length" in options
    return is_limited and error.is_rate_limit and error.error_type != CONCURRENCY


def _may_wait(pk: int, error: Refused) -> bool:
    """A queued request waits its turn, but not for ever; an attempt that never left says nothing."""
    if _is_too_long(pk, error):
        return False
    attempts = Observation.objects.filter(request_id=pk, kind__in=("postponed", "not_sent"))
    last = list(attempts.order_by("-id").values_list("kind", flat=True)[:MOST_REFUSALS])
    is_queued = FalRequest.objects.filter(pk=pk, mode=Mode.QUEUE).exists()
    return is_queued and last != ["postponed"] * MOST_REFUSALS


def _back_to_pending(
    pk: int, kind: str, note: str, asked_s: float | None, *, lease: UUID, now: datetime
) -> None:
    with transaction.atomic():
        row = locked(pk)
        if row.lease != lease:
            return
        # A run counts as under way from the moment it is sent, for nobody hears when it arrives.
        if row.status != Status.SUBMITTING and row.mode != Mode.RUN:
            return  # a webhook or a person was first
        if row.cancel_asked_at is not None:
            end = Change(Status.CANCELLED, "ended", "Cancelled before it was sent.")
            apply(row, end, Source.PERSON, at=now)
            return
        due_at = schedule.next_try(now, row.tries + 1, asked_s=asked_s)
        apply(
            row,
            Change(Status.PENDING, kind, note),
            Source.US,
            at=now,
            due_at=due_at,
            tries=row.tries + 1,
            lease=None,
            leased_until=None,
            sent_at=None,
            started_at=None,
        )


def uncertain(pk: int, reason: str, *, now: datetime) -> None:
    """Bytes left and no usable answer came: only fal's word or a person ends this.

    It is looked for in fal's list of finished requests, unless that has no inputs to know it by.
    """
    with transaction.atomic():
        row = locked(pk)
        if row.status == Status.SUBMITTING:
            note = f"Sent, but the answer is unknown: {reason}"
            soon = now + timedelta(seconds=schedule.SEARCH_FIRST_S)
            apply(
                row,
                Change(Status.UNCERTAIN, "uncertain", note),
                Source.US,
                at=now,
                due_at=soon if keeps_input(row.options) else None,
                lease=None,
                leased_until=None,
                tries=0,
            )
        else:  # a webhook was first: the row must not wait for our lease to run out
            unheard = FalRequest.objects.filter(pk=pk, accepted_at=None)
            unheard.update(lease=None, leased_until=None)


def lapsed(pk: int, *, now: datetime) -> None:
    """The process that held this row is gone, in the middle of sending or of a direct call."""
    row = FalRequest.objects.only("mode", "leased_until", "status").get(pk=pk)
    if row.leased_until and row.leased_until >= now:
        return
    if row.mode == Mode.QUEUE:
        uncertain(pk, "the process that sent it stopped before fal's answer was stored.", now=now)
        return
    sentence = (
        "The connection to fal was lost when the process that held it stopped. fal ends a direct "
        "call when the caller hangs up; work done until then may be billed."
    )
    observe(
        pk, Ended(Status.FAILED, ErrorType.INTERRUPTED, sentence), source=Source.US, asked_at=now
    )


def opened(pk: int, request_id: str | None, *, now: datetime) -> None:
    """A direct call is under way at fal."""
    with transaction.atomic():
        row = locked(pk)
        if row.status == Status.SUBMITTING:
            change = Change(Status.IN_PROGRESS, "status", "The call is open.", starts=True)
            try:
                with transaction.atomic():
                    apply(row, change, Source.US, at=now, fal_request_id=(request_id or "")[:200])
            except IntegrityError:  # an id that another row has tells nothing about this one
                apply(row, change, Source.US, at=now)


def hold(rows: Mapping[UUID, int], *, now: datetime) -> dict[UUID, bool]:
    """Renew leases, given the row of each. Those that are still ours: does a person want a stop?

    An earlier `due_at` is somebody's wish meanwhile, and stays.
    """
    until = now + LEASE
    wanted_sooner = When(due_at__lt=F("leased_until"), then=F("due_at"))
    ours = FalRequest.objects.live().filter(pk__in=list(rows.values()), lease__in=list(rows))
    ours.update(leased_until=until, due_at=Case(wanted_sooner, default=Value(until)))
    wishes = ours.values_list("lease", "cancel_asked_at")
    return {lease: asked_at is not None for lease, asked_at in wishes if lease}


def _end_or_ignore(pk: int, change: Change, *, lease: UUID, now: datetime) -> None:
    with transaction.atomic():
        row = locked(pk)
        # An uncertain row has had one attempt alone: this is the answer that was missing.
        if not row.is_ended and (row.lease == lease or row.status == Status.UNCERTAIN):
            apply(row, change, Source.SUBMIT_REPLY, at=now)


def capped(pk: int, note: str, *, now: datetime, data: dict[str, Any]) -> None:
    """The record of a stream or session has reached its limit; the call itself goes on."""
    _of_record(pk, "capped", note, now, data)


def counted(pk: int, note: str, *, now: datetime, data: dict[str, Any]) -> None:
    """The stream or session of a full record is over: how many frames there were."""
    _of_record(pk, "counted", note, now, data)


def _of_record(pk: int, kind: str, note: str, now: datetime, data: dict[str, Any]) -> None:
    with transaction.atomic():
        row = locked(pk)
        record(row, row.status, kind, note, Source.US, at=now, data=data)
