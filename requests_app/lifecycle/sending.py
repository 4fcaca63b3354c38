"""Sending a row: the lease to send it, and what fal answered."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from requests_app.fal.error_bodies import parse_error
from requests_app.fal.errors import FalError, Refused
from requests_app.fal.headers import keeps_input
from requests_app.keys import Key, ProgramKey, key_for, key_of, row_of_program_key
from requests_app.lifecycle.hearing import observe
from requests_app.lifecycle.person import create
from requests_app.lifecycle.writing import (
    HistoryEntry,
    apply,
    entry_of,
    locked,
    record,
    record_many,
)
from requests_app.models import (
    ErrorType,
    FalRequest,
    Mode,
    Observation,
    RequestOrigin,
    Source,
    Status,
    Team,
    digest,
)
from requests_app.request_input import Draft
from requests_app.rules import schedule
from requests_app.rules.transitions import CallEnded, Change

LEASE = timedelta(
    seconds=20
)  # renewed while a call lasts; the rows of a dead process move on when it expires
CONCURRENCY = "concurrent_requests_limit"  # fal's error type for too many requests of one account
MOST_REFUSALS = 20  # answers of "too many requests" in a row, then the row fails

Held = tuple[int, UUID]  # a row's key and its lease


@dataclass(frozen=True)
class Attempt:
    """One attempt to send a row, leased to one worker: everything the call needs."""

    pk: int
    public_id: UUID
    mode: str
    endpoint_id: str
    body: bytes
    options: dict[str, Any]
    webhook_secret: str
    lease: UUID
    until: datetime  # end of the lease as taken; renewals move it in the database only
    key: Key = field(repr=False)


def start_attempt(pk: int, *, now: datetime, key: Key | None = None) -> Attempt | None:
    """Lease a due pending row and mark it as submitting; return None when it is not pending or not due.

    `key`: in place of the team's for the endpoint.
    """
    [attempt] = start_attempts([pk], now=now, key=key)
    return attempt


def start_attempts(
    pks: Sequence[int], *, now: datetime, key: Key | None = None
) -> list[Attempt | None]:
    """Start an attempt for each row, as `start_attempt` does, in one transaction.

    The digest of a webhook's secret is stored before anything is sent, so that a webhook that arrives
    before the reply finds its row.
    """
    started: dict[int, tuple[Attempt, HistoryEntry]] = {}
    with transaction.atomic():
        due = FalRequest.objects.filter(pk__in=pks, status=Status.PENDING, due_at__lte=now)
        for row in due.select_for_update().order_by("pk"):  # always locked in one order
            started[row.pk] = _started(row, now, key)
        record_many([entry for _, entry in started.values()])
    attempts = {pk: attempt for pk, (attempt, _) in started.items()}
    return [attempts.pop(pk, None) for pk in pks]  # of two that want one row, the first gets it


def _started(row: FalRequest, now: datetime, key: Key | None) -> tuple[Attempt, HistoryEntry]:
    secret, lease, until = secrets.token_urlsafe(32), uuid4(), now + LEASE
    key = key or key_for(row.team_id, row.endpoint_id)
    attempt = Attempt(
        row.pk,
        row.public_id,
        row.mode,
        row.endpoint_id,
        row.input_text.encode(),
        row.options,
        secret,
        lease,
        until,
        key,
    )
    entry = entry_of(
        row,
        Change(Status.SUBMITTING, "sent", "Sending to fal.", data={"attempt": str(lease)}),
        Source.US,
        at=now,
        now=timezone.now(),
        webhook_digest=digest(secret),
        fal_key_id=key.pk,
        lease=lease,
        leased_until=until,
        due_at=until,
        sent_at=now,
    )
    return attempt, entry


def open_session(
    draft: Draft,
    *,
    team: Team,
    person: AbstractBaseUser,
    now: datetime,
    origin: RequestOrigin = RequestOrigin.PAGE,
    own_key: ProgramKey | None = None,
) -> Attempt:
    """Store a realtime session and lease it at once to this process, which has the user's socket."""
    with transaction.atomic():
        row = create(draft, team=team, person=person, now=now, origin=origin)
        key = None
        if own_key:
            key = key_of(row_of_program_key(team.pk, own_key, person.pk, now=now))
            note = "Its program shows fal its own key."
            record(row, row.status, "own_key", note, Source.GATEWAY, at=now)
        claimed = start_attempt(row.pk, now=now, key=key)
    if claimed is None:
        raise RuntimeError(
            "A row that was created in this transaction was leased by another process."
        )
    return claimed


def note_not_sent(pk: int, error: FalError, *, lease: UUID, now: datetime) -> None:
    """Return the row to pending: no byte reached fal, so it is safe to retry.

    `lease`, here and below, is a fencing token. A process that was stopped for long, or that repeats a
    write because the database failed during the first one, must not undo a later attempt.
    """
    note = f"{error} It was not sent, and is tried again."
    _back_to_pending(pk, "not_sent", note, None, lease=lease, now=now)


def note_refused(pk: int, error: Refused, *, lease: UUID, now: datetime) -> None:
    """Retry later after "too many requests"; end the row after any other refusal."""
    if error.is_rate_limit and _may_wait(pk, error):
        note = f"fal asked us to wait: {error}"
        _back_to_pending(pk, "postponed", note, error.retry_after_s, lease=lease, now=now)
        return
    _end_or_ignore(pk, refusal(pk, error), lease=lease, now=now)


def refusal(pk: int, error: Refused) -> Change:
    """Return the end of a row that fal refused, with fal's own answer as its output."""
    columns = {
        "error": str(error),
        "error_type": _kind_of(pk, error)[:80],
        "error_code": error.status_code,
        "output": error.body,
        "output_type": error.content_type[:200],
        "output_size": len(error.body),
    }
    detail = parse_error(error.status_code, {}, error.body).detail
    note = f"fal refused it: {detail}"[:500]
    data = {"code": error.status_code, "error_type": error.error_type or ""}
    return Change(Status.FAILED, "ended", note, columns, data)


def _kind_of(pk: int, error: Refused) -> str:
    own = ErrorType.QUEUE_TOO_LONG if _is_too_long(pk, error) else None
    return own or error.error_type or ErrorType.REFUSED


def _is_too_long(pk: int, error: Refused) -> bool:
    """Return whether fal's queue is longer than the request allows; an account limit is not meant."""
    options = FalRequest.objects.values_list("options", flat=True).get(pk=pk)
    is_limited = "max_queue_length" in options
    return is_limited and error.is_rate_limit and error.error_type != CONCURRENCY


def _may_wait(pk: int, error: Refused) -> bool:
    """Return whether a queued request may retry; attempts that were not sent do not count."""
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
        # A run is in progress from the moment it is sent: fal does not confirm its arrival.
        if row.status != Status.SUBMITTING and row.mode != Mode.RUN:
            return  # a webhook or a user was first
        if row.cancel_asked_at is not None:
            end = Change(Status.CANCELLED, "ended", "Cancelled before it was sent.")
            apply(row, end, Source.PERSON, at=now)
            return
        due_at = schedule.next_retry_at(now, row.tries + 1, asked_s=asked_s)
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


def mark_uncertain(pk: int, reason: str, *, now: datetime) -> None:
    """Mark the row uncertain: bytes left and no usable answer came. Only fal or a user can end it.

    fal's list of finished requests is searched for it, unless fal keeps no inputs to match it by.
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
        else:  # a webhook was first: the row must not wait for our lease to expire
            unheard = FalRequest.objects.filter(pk=pk, accepted_at=None)
            unheard.update(lease=None, leased_until=None)


def expire_lease(pk: int, *, now: datetime) -> None:
    """Handle an expired lease: its process died while sending or during a direct call."""
    with transaction.atomic():  # locked, so that a renewal is either seen here or comes too late
        row = locked(pk)
        if row.leased_until and row.leased_until >= now:
            return
        if row.mode == Mode.QUEUE:
            why = "the process that sent it stopped before fal's answer was stored."
            mark_uncertain(pk, why, now=now)
            return
        sentence = (
            "The connection to fal was lost when the process that held it stopped. fal ends a direct "
            "call when the caller hangs up; work done until then may be billed."
        )
        end = CallEnded(Status.FAILED, ErrorType.INTERRUPTED, sentence)
        observe(pk, end, source=Source.US, asked_at=now)


def note_opened(pk: int, request_id: str | None, *, now: datetime) -> None:
    """Note that a direct call is open at fal."""
    with transaction.atomic():
        row = locked(pk)
        if row.status == Status.SUBMITTING:
            change = Change(Status.IN_PROGRESS, "status", "The call is open.", starts=True)
            try:
                with transaction.atomic():
                    apply(row, change, Source.US, at=now, fal_request_id=(request_id or "")[:200])
            except IntegrityError:  # another row has this id: leave it out
                apply(row, change, Source.US, at=now)


def renew_leases(held: Collection[Held], *, now: datetime) -> dict[Held, bool]:
    """Renew leases. Return those still held: did a user ask to cancel?

    An earlier `due_at` was set meanwhile by a cancel or a webhook, and stays.
    """
    until = now + LEASE
    wanted_sooner = When(due_at__lt=F("leased_until"), then=F("due_at"))
    pks, leases = {pk for pk, _ in held}, {lease for _, lease in held}
    ours = FalRequest.objects.live().filter(pk__in=pks, lease__in=leases)
    ours.update(leased_until=until, due_at=Case(wanted_sooner, default=Value(until)))
    wishes = ours.values_list("pk", "lease", "cancel_asked_at")
    return {(pk, lease): asked_at is not None for pk, lease, asked_at in wishes if lease}


def _end_or_ignore(pk: int, change: Change, *, lease: UUID, now: datetime) -> None:
    with transaction.atomic():
        row = locked(pk)
        is_missing = row.status == Status.UNCERTAIN and _is_last_attempt(pk, lease)
        if not row.is_ended and (row.lease == lease or is_missing):
            apply(row, change, Source.SUBMIT_REPLY, at=now)


def _is_last_attempt(pk: int, lease: UUID) -> bool:
    """Return whether the answer of this attempt is the one that is missing; an earlier one had its own."""
    sent = Observation.objects.filter(request_id=pk, kind="sent").order_by("-id")
    last = sent.values_list("data", flat=True).first() or {}
    return bool(last.get("attempt", str(lease)) == str(lease))  # older rows do not name it


def note_record_full(pk: int, note: str, *, now: datetime, data: dict[str, Any]) -> None:
    """Note that the record of a stream or session is full; the call itself goes on."""
    _of_record(pk, "capped", note, now, data)


def note_frame_count(pk: int, note: str, *, now: datetime, data: dict[str, Any]) -> None:
    """Note at the end of a stream or session with a full record how many frames there were."""
    _of_record(pk, "counted", note, now, data)


def _of_record(pk: int, kind: str, note: str, now: datetime, data: dict[str, Any]) -> None:
    with transaction.atomic():
        row = locked(pk)
        record(row, row.status, kind, note, Source.US, at=now, data=data)
