"""Users' actions: create, cancel, give up, note."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import IntegrityError, transaction

from requests_app import announce, audit
from requests_app.display import summary
from requests_app.lifecycle.duplicates import AlreadyRunning, refuse_duplicate
from requests_app.lifecycle.open_limits import TooManyOpen, ensure_room
from requests_app.lifecycle.tagging import link_first_tags, own_tags
from requests_app.lifecycle.writing import apply, locked, record
from requests_app.models import (
    AT_FAL,
    AuditAct,
    ErrorType,
    FalRequest,
    IdempotencyKey,
    Mode,
    RequestOrigin,
    Source,
    Status,
    Team,
)
from requests_app.request_input import Draft
from requests_app.rules.same_input import same_input_digest
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
    origin: RequestOrigin = RequestOrigin.PAGE,
    guard: bool = False,
) -> FalRequest:
    """Store a request as pending and, on commit, ask a worker to send it.

    Raises TooManyOpen at a limit. `guard`: raises AlreadyRunning when the team's same input is open, or has
    just run.
    """
    derived = derived_columns(draft)
    with transaction.atomic():
        ensure_room(team.pk, person.pk)
        if guard:
            digest = derived["input_digest"] or ""
            refuse_duplicate(team, digest, person=person, now=now, besides=again_of)
        return store(draft, derived, team, person, now, again_of, origin)


def derived_columns(draft: Draft) -> dict[str, str | None]:
    """Return the columns that follow from the draft. Outside a transaction: an input may be megabytes."""
    return {
        **summary.of_input(draft.input_text),
        "input_digest": same_input_digest(draft.endpoint_id, draft.mode, draft.input_text),
    }


def store(
    draft: Draft,
    derived: dict[str, str | None],
    team: Team,
    person: AbstractBaseUser,
    now: datetime,
    again_of: FalRequest | None,
    origin: RequestOrigin,
) -> FalRequest:
    """Store it with the columns derived from its input; inside the transaction of a caller in the lifecycle."""
    # Lock the old row before inserting the new one: the foreign key takes a weaker lock on it, and two
    # transactions holding that one would deadlock.
    repeated = locked(again_of.pk) if again_of else None
    row = FalRequest.objects.create(
        team=team,
        person_id=person.pk,
        again_of=again_of,
        origin=RequestOrigin.AGAIN if again_of and origin != RequestOrigin.BATCH else origin,
        endpoint_id=draft.endpoint_id,
        mode=draft.mode,
        input_text=draft.input_text,
        options=draft.options,
        created_at=now,
        due_at=now,
        **derived,
    )
    tags = draft.tags
    if tags is None:  # a repeat is of the same project, unless its form said otherwise
        tags = tuple(own_tags(again_of.pk)) if again_of else ()
    link_first_tags(row, tags)
    who = person.get_username()
    record(row, Status.PENDING, "created", f"Created by {who}.", Source.PERSON, at=now)
    audit.note(AuditAct.SUBMITTED, audit.the_request(row), team_id=team.pk, by=person)
    if repeated is not None:
        tell_repeated(repeated, row, who, now)
    announce.work(row.pk)
    return row


def tell_repeated(row: FalRequest, repeat: FalRequest, who: str, now: datetime) -> None:
    """Note on an uncertain request that it was submitted again, so that no one else does it too."""
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
    origin: RequestOrigin = RequestOrigin.PAGE,
    guard: bool = False,
) -> tuple[FalRequest, bool]:
    """Like `create`, with an idempotency key: the same key and body return the same row. Raises KeyReused.

    The flag says whether the row is new. In a race of two callers the unique constraint lets one through.
    """
    found = _by_key(team, key, body_digest)
    if found:
        return found, False
    derived = derived_columns(draft)
    try:
        with transaction.atomic():
            ensure_room(team.pk, person.pk)
            if guard:
                digest = derived["input_digest"] or ""
                refuse_duplicate(team, digest, person=person, now=now, besides=again_of)
            row = store(draft, derived, team, person, now, again_of, origin)
            IdempotencyKey.objects.create(team=team, key=key, body_digest=body_digest, request=row)
    except (
        IntegrityError,
        AlreadyRunning,
        TooManyOpen,
    ):  # the other caller's row is this one's own
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
    """Ask to cancel; return "cancelled" (it was never sent), "asked" (fal will be told) or "ended"."""
    with transaction.atomic():
        row = locked(pk)
        if row.is_ended:
            return "ended"
        who = person.get_username()
        if row.status == Status.PENDING or row.cancel_asked_at is None:
            audit.note(
                AuditAct.CANCEL_ASKED, audit.the_request(row), team_id=row.team_id, by=person
            )
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
    """End an uncertain request as failed; return False when it is not uncertain.

    The search in fal's list goes on: what it finds is shown, and does not change the status.
    """
    with transaction.atomic():
        row = locked(pk)
        if row.status != Status.UNCERTAIN:
            return False
        audit.note(AuditAct.GAVE_UP, audit.the_request(row), team_id=row.team_id, by=person)
        sentence = f"{person.get_username()} gave up waiting: whether fal ran it is unknown."
        columns = {"error": sentence, "error_type": ErrorType.GIVEN_UP}
        searched_at = row.due_at
        apply(row, Change(Status.FAILED, "ended", sentence, columns), Source.PERSON, at=now)
        FalRequest.objects.filter(pk=pk).update(due_at=searched_at)
        return True


def add_note(pk: int, text: str, *, person: AbstractBaseUser, now: datetime) -> None:
    """Keep a user's words with the request, in its history; nothing else changes."""
    with transaction.atomic():
        row = locked(pk)
        note = f"{person.get_username()}: {text}"
        data = {"person": person.get_username(), "text": text}
        record(row, row.status, "note", note, Source.PERSON, at=now, data=data)


def _soonest(row: FalRequest, now: datetime) -> datetime | None:
    """Return `now` for a row that is at fal, else its present due time."""
    at_fal = row.mode == Mode.QUEUE and row.status in AT_FAL
    return now if at_fal else row.due_at
