"""What a person asks for."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app import announce
from requests_app.display import summary
from requests_app.lifecycle.writing import apply, locked, record
from requests_app.models import (
    AT_FAL,
    ErrorType,
    FalRequest,
    IdempotencyKey,
    Mode,
    Source,
    Status,
    Team,
)
from requests_app.request_input import Draft
from requests_app.rules.transitions import Change


class KeyReused(ValueError):
    """The idempotency key was used before with another body."""


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
        # Before the new row: its reference to the old one is a weaker lock, and two who hold that
        # would wait for each other for ever.
        repeated = locked(again_of.pk) if again_of else None
        row = FalRequest.objects.create(
            team=team,
            person_id=person.pk,
            again_of=again_of,
            endpoint_id=draft.endpoint_id,
            mode=draft.mode,
            input_text=draft.input_text,
            options=draft.options,
            summary=summary.summary_of(draft.input_text),
            search_text=summary.search_text_of(draft.endpoint_id, draft.input_text),
            created_at=now,
            due_at=now,
        )
        who = person.get_username()
        record(row, Status.PENDING, "created", f"Created by {who}.", Source.PERSON, at=now)
        if repeated is not None:
            _tell_repeated(repeated, row, who, now)
        announce.work(row.pk)
    row.refresh_from_db(fields=["seq"])
    return row


def _tell_repeated(row: FalRequest, repeat: FalRequest, who: str, now: datetime) -> None:
    """A request of unknown fate says that it was sent once more: the next person must not do it too."""
    if row.status == Status.UNCERTAIN or row.is_given_up:
        note = f"{who} submitted it again, as {repeat.public_id}; it may cost twice."
        data = {"repeat": str(repeat.public_id)}
        record(row, row.status, "repeated", note, Source.PERSON, at=now, data=data)


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
            IdempotencyKey.objects.create(team=team, key=key, body_digest=body_digest, request=row)
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
        row = locked(pk)
        if row.is_ended:
            return "ended"
        who = person.get_username()
        if row.status == Status.PENDING:
            end = Change(Status.CANCELLED, "ended", f"Cancelled by {who} before it was sent.")
            apply(row, end, Source.PERSON, at=now)
            return "cancelled"
        if row.cancel_asked_at is None:
            note = f"{who} asked to cancel."
            record(
                row,
                row.status,
                "cancel_asked",
                note,
                Source.PERSON,
                at=now,
                cancel_asked_at=now,
                due_at=_soonest(row, now),
            )
        announce.work(pk)
        return "asked"


def give_up(pk: int, *, person: AbstractBaseUser, now: datetime) -> bool:
    """A person ends an uncertain request; False when it is not uncertain (any more).

    It is looked for in fal's list all the same: what became of it is shown, and ends nothing.
    """
    with transaction.atomic():
        row = locked(pk)
        if row.status != Status.UNCERTAIN:
            return False
        sentence = f"{person.get_username()} gave up waiting: whether fal ran it is unknown."
        columns = {"error": sentence, "error_type": ErrorType.GIVEN_UP}
        searched_at = row.due_at
        apply(row, Change(Status.FAILED, "ended", sentence, columns), Source.PERSON, at=now)
        FalRequest.objects.filter(pk=pk).update(due_at=searched_at)
        return True


def _soonest(row: FalRequest, now: datetime) -> datetime | None:
    """When a row at fal must be looked at at once; others keep their time."""
    at_fal = row.mode == Mode.QUEUE and row.status in AT_FAL
    return now if at_fal else row.due_at
