"""The one writer: every status is written here, with the observation that says how we know.

A verb takes the row's key and what happened, decides by `transitions`, and in one transaction
appends the observation, moves the row and lets `announce` tell the world on commit. Nothing here
touches the network.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from requests_app import announce, pace, summaries
from requests_app.drafts import Draft
from requests_app.fal.errors import FalError, Refused
from requests_app.fal.reports import Receipt, StatusReport, WebhookReport, parse_error
from requests_app.loglines import add_logs, new_logs
from requests_app.models import (
    LIVE,
    FalRequest,
    IdempotencyKey,
    Mode,
    Observation,
    Source,
    Status,
    Team,
    digest,
)
from requests_app.transitions import Change, Ended, News, Picture, agrees, decide, identity_of

SUBMIT_LEASE = timedelta(seconds=75)  # longer than the wire's deadline for a submit
DIRECT_LEASE = timedelta(seconds=20)  # renewed while the call lasts
MOST_REFUSALS = 20  # "too many requests" in a row, then the row fails


class Heard(StrEnum):
    """What a piece of news was to us."""

    NEWS = "news"
    KNOWN = "known"
    CONTRADICTION = "contradiction"  # the row had ended otherwise; kept as evidence


class KeyReused(ValueError):
    """The idempotency key was used before with another body."""


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


# --- a person's verbs ----------------------------------------------------------------------------


def create(
    draft: Draft,
    *,
    team: Team,
    person: AbstractBaseUser,
    now: datetime,
    again_of: FalRequest | None = None,
) -> FalRequest:
    """Record the request and ask a worker to send it once the record is safe."""
    with transaction.atomic():
        row = FalRequest.objects.create(
            team=team,
            person_id=person.pk,
            again_of=again_of,
            endpoint_id=draft.endpoint_id,
            mode=draft.mode,
            input_text=draft.input_text,
            options=draft.options,
            summary=summaries.summary_of(draft.input_text),
            search_text=summaries.search_text_of(draft.endpoint_id, draft.input_text),
            created_at=now,
            due_at=now,
        )
        who = person.get_username()
        _record(row, Status.PENDING, "created", f"Recorded for {who}.", Source.PERSON, at=now)
        announce.work(row.pk)
    row.refresh_from_db(fields=["seq"])
    return row


def create_once(
    draft: Draft,
    *,
    team: Team,
    person: AbstractBaseUser,
    now: datetime,
    key: str,
    body_digest: str,
    again_of: FalRequest | None = None,
) -> tuple[FalRequest, bool]:
    """As `create`, but the same key and body always mean the same row. Raises KeyReused.

    The flag says whether the row was made now. Two callers at once: the unique key lets one through.
    """
    found = _by_key(team, key, body_digest)
    if found:
        return found, False
    try:
        with transaction.atomic():
            row = create(draft, team=team, person=person, now=now, again_of=again_of)
            IdempotencyKey.objects.create(
                team=team, key=key, body_digest=body_digest, request=row
            )
    except IntegrityError:
        found = _by_key(team, key, body_digest)
        if found is None:
            raise
        return found, False
    return row, True


def _by_key(team: Team, key: str, body_digest: str) -> FalRequest | None:
    used = IdempotencyKey.objects.select_related("request").filter(team=team, key=key).first()
    if used is None:
        return None
    if used.body_digest != body_digest:
        raise KeyReused(f"The key {key!r} was used before with another body.")
    return used.request


def ask_cancel(pk: int, *, person: AbstractBaseUser, now: datetime) -> str:
    """Ask for the end: "cancelled" (was never sent), "asked" (fal will be told), "ended"."""
    with transaction.atomic():
        row = _locked(pk)
        if row.is_ended:
            return "ended"
        who = person.get_username()
        if row.status == Status.PENDING:
            end = Change(Status.CANCELLED, "ended", f"Cancelled by {who} before it was sent.")
            _apply(row, end, Source.PERSON, at=now)
            return "cancelled"
        if row.cancel_asked_at is None:
            note = f"{who} asked to cancel."
            _record(row, row.status, "cancel_asked", note, Source.PERSON, at=now,
                    cancel_asked_at=now, due_at=_soonest(row, now))
        announce.work(pk)
        return "asked"


def give_up(pk: int, *, person: AbstractBaseUser, now: datetime) -> bool:
    """A person ends an uncertain request; False when it is not uncertain (any more)."""
    with transaction.atomic():
        row = _locked(pk)
        if row.status != Status.UNCERTAIN:
            return False
        sentence = f"{person.get_username()} gave up waiting: whether fal ran it is unknown."
        columns = {"error": sentence, "error_type": "given_up"}
        _apply(row, Change(Status.FAILED, "ended", sentence, columns), Source.PERSON, at=now)
        return True


# --- sending --------------------------------------------------------------------------------------


def claim(pk: int, *, now: datetime) -> Claim | None:
    """Take the one right to send this row; None when it is not to be sent (any more).

    The webhook's secret is kept as a digest before anything leaves, so that a webhook that beats the
    reply finds its row.
    """
    secret = secrets.token_urlsafe(32)
    with transaction.atomic():
        row = FalRequest.objects.select_for_update().filter(
            pk=pk, status=Status.PENDING, due_at__lte=now
        ).first()
        if row is None:
            return None
        lease, until = secrets_uuid(), now + _first_lease(row)
        _apply(
            row, Change(Status.SUBMITTING, "sent", "Sending to fal."), Source.US, at=now,
            webhook_digest=digest(secret), lease=lease, leased_until=until, due_at=until,
            sent_at=now,
        )
        return Claim(
            row.pk, row.public_id, row.mode, row.endpoint_id, row.input_text.encode(),
            row.options, secret, lease,
        )


def secrets_uuid() -> UUID:
    """A lease's token: whoever holds another one has lost the row."""
    return UUID(bytes=secrets.token_bytes(16), version=4)


def _first_lease(row: FalRequest) -> timedelta:
    return SUBMIT_LEASE if row.mode == Mode.QUEUE else DIRECT_LEASE


def not_sent(pk: int, error: FalError, *, now: datetime) -> None:
    """Not a byte reached fal: back to pending, to be sent later."""
    _back_to_pending(pk, f"Could not reach fal: {error}", now=now, asked_s=None)


def refused(pk: int, error: Refused, *, now: datetime) -> None:
    """fal said no: "too many requests" is asked again later, anything else ends the row."""
    row = FalRequest.objects.only("mode", "tries").get(pk=pk)
    if error.is_rate_limit and row.mode == Mode.QUEUE and row.tries < MOST_REFUSALS:
        asked_s = error.retry_after_s
        _back_to_pending(pk, f"fal asked us to wait: {error}", now=now, asked_s=asked_s)
        return
    columns = {
        "error": str(error), "error_type": (error.error_type or "refused")[:80],
        "error_code": error.status_code, "output": error.body,
        "output_type": "application/json", "output_size": len(error.body),
    }
    detail = parse_error(error.status_code, {}, error.body).detail
    note = f"fal refused it: {detail}"[:500]
    data = {"code": error.status_code, "error_type": error.error_type or ""}
    _end_or_ignore(pk, Change(Status.FAILED, "ended", note, columns, data), now=now)


def _back_to_pending(pk: int, note: str, *, now: datetime, asked_s: float | None) -> None:
    with transaction.atomic():
        row = _locked(pk)
        if row.status != Status.SUBMITTING:
            return  # a webhook or a person was first
        if row.cancel_asked_at is not None:
            end = Change(Status.CANCELLED, "ended", "Cancelled before it was sent.")
            _apply(row, end, Source.PERSON, at=now)
            return
        due_at = pace.next_try(now, row.tries + 1, asked_s=asked_s)
        _apply(
            row, Change(Status.PENDING, "not_sent", note), Source.US, at=now,
            due_at=due_at, tries=row.tries + 1, lease=None, leased_until=None, sent_at=None,
        )


def uncertain(pk: int, reason: str, *, now: datetime) -> None:
    """Bytes left and no usable answer came: only fal's word or a person ends this."""
    with transaction.atomic():
        row = _locked(pk)
        if row.status == Status.SUBMITTING:
            note = f"Sent, but the answer is unknown: {reason}"
            _apply(
                row, Change(Status.UNCERTAIN, "uncertain", note), Source.US, at=now,
                due_at=None, lease=None, leased_until=None,
            )


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
    observe(pk, Ended(Status.FAILED, "interrupted", sentence), source=Source.US, asked_at=now)


def opened(pk: int, request_id: str | None, *, now: datetime) -> None:
    """A direct call is under way at fal."""
    with transaction.atomic():
        row = _locked(pk)
        if row.status == Status.SUBMITTING:
            change = Change(Status.IN_PROGRESS, "status", "The call is open.", starts=True)
            _apply(row, change, Source.US, at=now, fal_request_id=(request_id or "")[:200])


@dataclass(frozen=True)
class Hold:
    """How a direct call's row stands: is it still ours, and does somebody want it stopped?"""

    ours: bool
    cancel: bool


def hold(pk: int, lease: UUID, *, now: datetime) -> Hold:
    """Renew the lease of a direct call."""
    until = now + DIRECT_LEASE
    ours = FalRequest.objects.filter(pk=pk, lease=lease, status__in=LIVE).update(
        leased_until=until, due_at=until
    )
    asked = FalRequest.objects.filter(pk=pk, cancel_asked_at__isnull=False).exists()
    return Hold(bool(ours), asked)


# --- hearing --------------------------------------------------------------------------------------


def observe(
    pk: int, news: News, *, source: str, asked_at: datetime, now: datetime | None = None
) -> Heard:
    """Store what fal said and move the row if it is news."""
    row = FalRequest.objects.only(*_PICTURE).get(pk=pk)
    logs = new_logs(pk, news.logs) if isinstance(news, StatusReport) else []
    if not row.is_ended and not logs and decide(picture_of(row), news) is None:
        return Heard.KNOWN  # the usual poll: no lock taken, nothing written
    with transaction.atomic():
        row = _locked(pk)
        if logs:
            _add_logs(row, logs, source, asked_at)
        if row.is_ended:
            return _after_the_end(row, news, source=source, asked_at=asked_at)
        change = decide(picture_of(row), news)
        if change is None or _is_stale(row, change, asked_at):
            return Heard.NEWS if logs else Heard.KNOWN
        _apply(row, change, source, at=asked_at, now=now or timezone.now())
        return Heard.NEWS


def _is_stale(row: FalRequest, change: Change, asked_at: datetime) -> bool:
    """A slow poll must not undo a newer one; an end always counts."""
    return (
        not change.ends
        and change.kind == "status"
        and row.observed_at is not None
        and asked_at < row.observed_at
    )


def _after_the_end(row: FalRequest, news: News, *, source: str, asked_at: datetime) -> Heard:
    """Ended states absorb; a receipt still completes the row's identity, a status its metrics."""
    columns: dict[str, Any] = {}
    if isinstance(news, Receipt):
        columns = identity_of(news) | {"accepted_at": row.accepted_at or timezone.now()}
    if isinstance(news, StatusReport) and news.metrics and not row.metrics:
        columns["metrics"] = news.metrics
    if columns:
        note = "Details arrived after the end."
        _record(row, row.status, "details", note, source, at=asked_at, **columns)
    if agrees(row.status, news):
        return Heard.NEWS if columns else Heard.KNOWN
    note = f"fal says otherwise now; the end stays {row.get_status_display()}."
    _record(row, row.status, "contradiction", note, source, at=asked_at)
    return Heard.CONTRADICTION


def cancel_answered(pk: int, kind: str, *, now: datetime) -> None:
    """fal's answer to a wish to cancel. It ends nothing: fal's status does."""
    with transaction.atomic():
        row = _locked(pk)
        note = CANCEL_NOTES.get(kind, f"fal's answer to the cancellation was unclear ({kind}).")
        _record(row, row.status, "cancel_answer", note, Source.US, at=now,
                cancel_answer=kind, **({} if row.is_ended else {"due_at": now}))


CANCEL_NOTES = {
    "requested": "fal took the cancellation; a running model may still finish.",
    "removed": "fal removed it from the queue.",
    "already_completed": "fal says it had already finished.",
    "not_found": "fal does not know the request it should cancel.",
}


# --- work -----------------------------------------------------------------------------------------


def make_due(pk: int, *, now: datetime) -> None:
    """Look at this row at once (a webhook without payload, a page that was opened)."""
    FalRequest.objects.filter(pk=pk).exclude(fal_request_id="").update(due_at=now)
    announce.work(pk)


def watched(pk: int, *, until: datetime, now: datetime) -> None:
    """Somebody has the page open until then: look more often."""
    FalRequest.objects.filter(pk=pk, status__in=LIVE).update(watched_until=until)
    FalRequest.objects.filter(
        pk=pk, status__in=[Status.IN_QUEUE, Status.IN_PROGRESS], mode=Mode.QUEUE,
        due_at__gt=now + timedelta(seconds=pace.WATCHED_S),
    ).update(due_at=now + timedelta(seconds=pace.WATCHED_S))


def release(pk: int, lease: UUID, due_at: datetime | None, *, failed: bool = False) -> None:
    """Give a leased row back and say when its next look is due (None: never)."""
    row = FalRequest.objects.only("cancel_asked_at", "cancel_answer", "status", "tries").get(pk=pk)
    if row.is_cancelling and not row.cancel_answer and not failed:
        due_at = timezone.now()  # asked while we were looking
    FalRequest.objects.filter(pk=pk, lease=lease).update(
        lease=None, leased_until=None, due_at=due_at, tries=row.tries + 1 if failed else 0
    )


def resume(*, now: datetime, alone: bool) -> int:
    """After a restart every live row is due at once; returns how many.

    `alone`: no other process works on this database, so every lease is a dead one's.
    """
    rows = FalRequest.objects.live().exclude(status=Status.UNCERTAIN)
    if alone:
        return rows.update(due_at=now, lease=None, leased_until=None)
    return rows.filter(leased_until=None).update(due_at=now)


# --- the writes -----------------------------------------------------------------------------------

_PICTURE = (
    "status", "fal_request_id", "queue_position", "finished_at", "started_at",
    "cancel_asked_at", "cancel_answer", "observed_at", "metrics", "team_id", "public_id",
)  # fmt: skip


def picture_of(row: FalRequest) -> Picture:
    """What `decide` needs to know of a row."""
    return Picture(
        status=row.status,
        fal_request_id=row.fal_request_id,
        queue_position=row.queue_position,
        finished=row.finished_at is not None,
        cancel_asked=row.cancel_asked_at is not None,
        cancel_answer=row.cancel_answer,
    )


def _locked(pk: int) -> FalRequest:
    """The row, held until the transaction ends (SQLite: the whole database, by IMMEDIATE)."""
    return FalRequest.objects.select_for_update().without_payload().get(pk=pk)


def _end_or_ignore(pk: int, change: Change, *, now: datetime) -> None:
    with transaction.atomic():
        row = _locked(pk)
        if not row.is_ended:
            _apply(row, change, Source.SUBMIT_REPLY, at=now)


def _apply(
    row: FalRequest, change: Change, source: str, *, at: datetime, now: datetime | None = None,
    **columns: Any,
) -> None:
    """Move a live row: the observation and the columns, in the caller's transaction."""
    heard_at = now or timezone.now()
    written = {**change.columns, **_times(row, change, heard_at), **columns}
    if change.ends:
        written |= _end_columns(row, change, source, heard_at)
    if source in (Source.POLL, Source.STATUS_STREAM):
        written["observed_at"] = at
    _record(row, change.status, change.kind, change.note, source, at=at, data=change.data,
            heard_at=heard_at, **written)


def _times(row: FalRequest, change: Change, now: datetime) -> dict[str, Any]:
    times: dict[str, Any] = {}
    if change.kind == "accepted" and row.accepted_at is None:
        times |= {"accepted_at": now, "due_at": now + timedelta(seconds=pace.SOONEST_S),
                  "lease": None, "leased_until": None, "tries": 0}
    if change.starts and row.started_at is None:
        times["started_at"] = now
    if change.finishes and row.finished_at is None:
        times |= {"finished_at": now, "due_at": now}  # the result is to be fetched at once
    return times


def _end_columns(
    row: FalRequest, change: Change, source: str, now: datetime
) -> dict[str, Any]:
    """An end from a webhook brings no logs or metrics: one more look is due for them."""
    aftercare = source == Source.WEBHOOK and row.mode == Mode.QUEUE
    return {
        "ended_at": now, "due_at": now if aftercare else None, "lease": None,
        "leased_until": None, "tries": 0, **summaries.of_output(change.columns),
    }


def _soonest(row: FalRequest, now: datetime) -> datetime | None:
    """When a row at fal must be looked at at once; others keep their time."""
    at_fal = row.mode == Mode.QUEUE and row.status in (Status.IN_QUEUE, Status.IN_PROGRESS)
    return now if at_fal else row.due_at


def _add_logs(
    row: FalRequest, logs: Sequence[Any], source: str, asked_at: datetime
) -> None:
    added = add_logs(row.pk, logs)
    if added:
        _record(row, row.status, "logs", "", source, at=asked_at, data={"added": added})


def _record(
    row: FalRequest, status: str, kind: str, note: str, source: str, *, at: datetime,
    data: dict[str, Any] | None = None, heard_at: datetime | None = None, **columns: Any,
) -> None:
    """Observation first: its id becomes the row's version. Ended rows keep their status."""
    heard = Observation.record(
        row.pk, kind=kind, source=source, status=status, at=at,
        heard_at=heard_at or timezone.now(), note=note, data=data,
    )
    rows = FalRequest.objects.filter(pk=row.pk)
    if status != row.status:
        rows = rows.filter(status__in=LIVE)
    rows.update(seq=heard.pk, status=status, **columns)
    announce.changed(row, heard.pk)


def is_for_row(row: FalRequest, report: WebhookReport) -> bool:
    """Whether a webhook speaks of this very request (an unknown id is adopted)."""
    return row.fal_request_id in ("", report.request_id)
