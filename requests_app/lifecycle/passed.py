"""Calls that a program made itself, through the gateway: recorded when fal has them, never sent from here.

Each verb may be repeated: a call has its row's public id from its beginning.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from requests_app import audit
from requests_app.fal.errors import FalError, NotSent, Refused
from requests_app.fal.reports import Receipt, Result
from requests_app.keys import ProgramKey, key_of, row_of_program_key
from requests_app.lifecycle.hearing import CANCEL_NOTES, observe
from requests_app.lifecycle.person import derived_columns, tell_repeated
from requests_app.lifecycle.sending import LEASE, Attempt, mark_uncertain, refusal
from requests_app.lifecycle.tagging import link_first_tags
from requests_app.lifecycle.writing import apply, locked, record
from requests_app.models import AuditAct, ErrorType, FalRequest, Mode, RequestOrigin, Source, Status
from requests_app.request_input import Draft, InvalidDraft
from requests_app.rules.transitions import CallEnded, Change

FAULTED = "fault-lab"  # the tag of calls that may have gone wrong on purpose
RESENT = timedelta(
    minutes=10
)  # fal_client sends a submit that was not answered again, up to ten times


@dataclass(frozen=True)
class PassedCall:
    """A call as it passed. `note` says what of it is not kept."""

    public_id: UUID
    draft: Draft
    team_id: int
    person_id: int
    sent_at: datetime
    note: str = ""
    fal_key_id: int | None = None
    own_key: ProgramKey | None = None
    is_faulted: bool = False  # while the fault lab was on for its token
    request_id: str = ""  # fal's, of a direct call: its reply's head has it


Outcome = Receipt | Result | CallEnded | FalError


def record_passed(call: PassedCall, outcome: Outcome, *, at: datetime) -> FalRequest | None:
    """Store a call and what came of it; None when another row has fal's id already."""
    derived = derived_columns(call.draft)
    for _ in range(2):  # in a race with `open_passed` the second time finds its row
        try:
            with transaction.atomic():
                row, is_new = _row_of(call, derived)
                if is_new or not isinstance(outcome, Receipt | FalError):
                    _settle(row, outcome, at)
                return row
        except IntegrityError:
            continue
    return None


def open_passed(call: PassedCall, request_id: str, *, now: datetime) -> Attempt | None:
    """Store a direct call that is under way, leased to this process; None when it has ended already."""
    derived = derived_columns(call.draft)
    lease, until = uuid4(), now + LEASE
    try:
        with transaction.atomic():
            row, is_new = _row_of(call, derived)
            if not is_new:
                return None
            change = Change(Status.IN_PROGRESS, "status", "The call is open.", starts=True)
            apply(
                row, change, Source.GATEWAY, at=now, fal_request_id=request_id[:200],
                started_at=call.sent_at, lease=lease, leased_until=until, due_at=until,
            )  # fmt: skip
    except IntegrityError:
        return None
    draft = call.draft
    return Attempt(
        row.pk,
        row.public_id,
        draft.mode,
        draft.endpoint_id,
        b"",
        draft.options,
        "",
        lease,
        until,
        key_of(row.fal_key_id),
    )


def note_direct_id(pk: int, request_id: str) -> None:
    """Store fal's id of a direct call whose row was made before the head of the reply told it."""
    if request_id := _free_id(request_id):
        nameless = FalRequest.objects.filter(pk=pk, fal_request_id="")
        with (
            suppress(IntegrityError),
            transaction.atomic(),
        ):  # another row was first: it is left out
            nameless.update(fal_request_id=request_id)


def note_passed_cancel(
    request_id: str, kind: str, *, team_id: int, person_id: int, now: datetime
) -> None:
    """Store that a program cancelled, and fal's answer: nothing is asked a second time."""
    with transaction.atomic():
        mine = FalRequest.objects.filter(team_id=team_id, fal_request_id=request_id)
        pk = mine.values_list("pk", flat=True).first()
        row = locked(pk) if pk else None
        if row is None or row.is_ended:
            return
        user = User.objects.get(pk=person_id)
        asked = f"The code of {user.get_username()} asked fal to cancel."
        record(
            row, row.status, "cancel_asked", asked, Source.GATEWAY, at=now, cancel_asked_at=now,
            cancel_answer=kind,
        )  # fmt: skip
        audit.note(AuditAct.CANCEL_ASKED, audit.the_request(row), team_id=team_id, by=user)
        note = CANCEL_NOTES.get(kind, f"fal's answer to the cancellation was unclear ({kind}).")
        record(row, row.status, "cancel_answer", note, Source.GATEWAY, at=now, due_at=now)


def note_passed_result(request_id: str, result: Result, *, team_id: int, at: datetime) -> None:
    """Store a result that a program fetched itself; for requests whose key we do not have."""
    mine = FalRequest.objects.live().filter(team_id=team_id, fal_request_id=request_id)
    pk = mine.values_list("pk", flat=True).first()
    if pk is not None:
        observe(pk, result, source=Source.GATEWAY, asked_at=at, now=at)


def _row_of(call: PassedCall, derived: dict[str, str | None]) -> tuple[FalRequest, bool]:
    """Return the call's row, locked, and whether it is new."""
    pk = FalRequest.objects.filter(public_id=call.public_id).values_list("pk", flat=True).first()
    if pk:
        note_direct_id(pk, call.request_id)
        return locked(pk), False
    draft = call.draft
    direct: dict[str, Any] = {} if draft.mode == Mode.QUEUE else {"started_at": call.sent_at}
    resent = _unanswered(call, derived)
    row = FalRequest.objects.create(
        public_id=call.public_id, team_id=call.team_id, person_id=call.person_id,
        endpoint_id=draft.endpoint_id, mode=draft.mode, input_text=draft.input_text,
        options=draft.options, created_at=call.sent_at, sent_at=call.sent_at, again_of=resent,
        fal_key_id=_key_id(call), origin=RequestOrigin.GATEWAY, fal_request_id=_free_id(call.request_id),
        **derived, **direct,
    )  # fmt: skip
    with suppress(InvalidDraft):  # the team has as many tags as it can have
        link_first_tags(row, (FAULTED,) if call.is_faulted else ())
    user = User.objects.get(pk=call.person_id)
    who = user.get_username()
    audit.note(
        AuditAct.SUBMITTED, audit.the_request(row, by="gateway"), team_id=call.team_id, by=user
    )
    how = f"Sent by the code of {who}{' with its own fal key' if call.own_key else ''}."
    lab = "The fault lab was on for its token." if call.is_faulted else ""
    note = " ".join(filter(None, [how, lab, call.note]))
    record(
        row, Status.SUBMITTING, "created", note, Source.GATEWAY, at=call.sent_at,
        heard_at=call.sent_at,
    )  # fmt: skip
    row.status = Status.SUBMITTING
    if resent:
        tell_repeated(resent, row, f"The code of {who}", call.sent_at)
    return row, True


def _free_id(request_id: str) -> str:
    """Return fal's id unless another row has it: two rows cannot, and this one is kept without."""
    has_other = FalRequest.objects.filter(fal_request_id=request_id).exists
    return "" if not request_id or has_other() else request_id


def _key_id(call: PassedCall) -> int | None:
    if call.own_key is None:
        return call.fal_key_id
    return row_of_program_key(call.team_id, call.own_key, call.person_id, now=call.sent_at)


def _unanswered(call: PassedCall, derived: dict[str, str | None]) -> FalRequest | None:
    """Return the row of the same submit that was not answered, shortly before: its client sends it again."""
    if call.draft.mode != Mode.QUEUE or not derived["input_digest"]:
        return None
    since = call.sent_at - RESENT
    same = FalRequest.objects.filter(
        team_id=call.team_id, input_digest=derived["input_digest"], status=Status.UNCERTAIN,
        person_id=call.person_id, created_at__gte=since, observations__source=Source.GATEWAY,
    )  # fmt: skip
    pk = same.order_by("-pk").values_list("pk", flat=True).first()
    return locked(pk) if pk else None


def _settle(row: FalRequest, outcome: Outcome, at: datetime) -> None:
    if isinstance(outcome, Refused):
        apply(row, refusal(row.pk, outcome), Source.SUBMIT_REPLY, at=at, now=at)
    elif isinstance(outcome, NotSent):
        sentence = f"{outcome} Nothing was sent, and the program was told so."
        columns = {"error": sentence, "error_type": ErrorType.UNREACHABLE}
        end = Change(Status.FAILED, "ended", sentence, columns)
        apply(row, end, Source.GATEWAY, at=at, now=at)
    elif isinstance(outcome, FalError):
        mark_uncertain(row.pk, str(outcome), now=at)
    else:
        source = Source.SUBMIT_REPLY if isinstance(outcome, Receipt) else Source.STREAM
        observe(row.pk, outcome, source=source, asked_at=at, now=at)
