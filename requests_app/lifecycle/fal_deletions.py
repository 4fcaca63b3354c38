"""Deletion at fal: asked for with the deletion here, done by a worker, its answer noted on the row and in the trail."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from dashboard.local_apps import app_of
from requests_app import audit
from requests_app.fal.payload_deletion import TAKEN, DeletedPayloads, takes
from requests_app.lifecycle.writing import locked, record
from requests_app.models import (
    ASKED_AGAIN,
    AuditAct,
    FalDeletion,
    FalDeletionState,
    FalRequest,
    RequestOrigin,
    Source,
)

HELD = timedelta(minutes=2)  # by a worker; longer than a call may take
LONGEST = timedelta(days=3)
LAST_TRY = timedelta(
    hours=7
)  # the longest of the waits below, and an hour in which a worker may be away
_WAITS = (10, 60, 300, 1800, 7200, 21600)  # seconds before the next try; the last again and again

NO_ID = "fal gave it no id that can be named."
IMPORTED = "It was made by another installation."
LOCAL = "It ran in an app of your own, not at fal."


def why_not_at_fal(row: FalRequest) -> str:
    """Say why fal cannot be asked to delete what it keeps of a request; empty when it can."""
    if row.origin == RequestOrigin.IMPORTED:
        return IMPORTED
    if app_of(row.endpoint_id):
        return LOCAL
    return "" if takes(row.fal_request_id) else NO_ID


def askable(rows: QuerySet[FalRequest]) -> QuerySet[FalRequest]:
    """Return those of the rows of which fal can be asked to delete what it keeps, and has not answered or been asked.

    The same as `why_not_at_fal` says of one row, for counts.
    """
    found = rows.exclude(origin=RequestOrigin.IMPORTED).filter(fal_request_id__iregex=TAKEN)
    for app in settings.LOCAL_APPS:
        found = found.exclude(Q(endpoint_id=app) | Q(endpoint_id__startswith=f"{app}/"))
    known = FalDeletion.objects.filter(public_id=OuterRef("public_id"))
    return found.filter(~Exists(known.exclude(state__in=ASKED_AGAIN)))


def ask_fal_to_delete(row: FalRequest, *, now: datetime) -> bool:
    """Have a worker ask fal, in the caller's transaction; return False when fal cannot be asked."""
    if why_not_at_fal(row):
        return False
    FalDeletion.objects.update_or_create(
        public_id=row.public_id,
        defaults={
            "team_id": row.team_id, "endpoint_id": row.endpoint_id, "fal_request_id": row.fal_request_id,
            "fal_key_id": row.fal_key_id, "state": FalDeletionState.WAITING, "note": "", "tries": 0,
            "asked_at": now, "due_at": now, "ended_at": None,
        },
    )  # fmt: skip
    return True


def delete_at_fal(pk: int, *, person: AbstractBaseUser, now: datetime) -> bool:
    """Ask for what fal keeps of a request that was emptied here before; False when it is asked or done already."""
    with transaction.atomic():
        row = locked(pk)
        known = FalDeletion.objects.select_for_update().filter(public_id=row.public_id).first()
        is_open = known is None or known.may_be_asked_again
        if row.payload_removed_at is None or not is_open or not ask_fal_to_delete(row, now=now):
            return False
        note = f"{person.get_username()} asked fal to delete what it keeps of it."
        record(row, row.status, "fal_deletion", note, Source.PERSON, at=now)
        on = audit.the_request(row, at_fal=True)
        audit.note(AuditAct.PAYLOAD_DELETED, on, team_id=row.team_id, by=person)
        return True


def forget_fal_deletions(public_ids: Collection[UUID]) -> None:
    """Drop the answers about requests that are about to be deleted; what waits is asked for all the same."""
    FalDeletion.objects.filter(public_id__in=public_ids, due_at=None).delete()


def waiting_fal_deletions(team_id: int, now: datetime) -> QuerySet[FalDeletion]:
    """Return those of a team that are still tried; none waits longer than `LONGEST` and a last try."""
    waiting = FalDeletion.objects.filter(team=team_id, state=FalDeletionState.WAITING)
    return waiting.filter(asked_at__gt=now - LONGEST - LAST_TRY)


def take_fal_deletions(now: datetime, most: int) -> list[FalDeletion]:
    """Return some that are due, and keep other workers from them for a while."""
    skips = connection.features.has_select_for_update_skip_locked
    with transaction.atomic():
        due = FalDeletion.objects.select_for_update(skip_locked=skips).filter(due_at__lte=now)
        taken = list(due.order_by("due_at")[:most])
        FalDeletion.objects.filter(pk__in=[one.pk for one in taken]).update(due_at=now + HELD)
    return taken


def note_fal_deleted(deletion: FalDeletion, told: DeletedPayloads, *, now: datetime) -> None:
    """fal has done it."""
    files = f" and {told.files} file{'s' * (told.files != 1)} of the output" if told.files else ""
    left = f" fal could not delete {told.left} of the files." if told.left else ""
    note = f"fal has deleted input, output{files} of this request.{left}"
    _settle(
        deletion,
        FalDeletionState.DONE,
        note.replace("input, output of", "input and output of"),
        now,
    )


def note_fal_unknown(deletion: FalDeletion, *, now: datetime) -> None:
    """fal has nothing under this id."""
    note = "fal knows no request with this id (any more), so that there was nothing to delete."
    _settle(deletion, FalDeletionState.UNKNOWN, note, now)


def note_fal_refused(deletion: FalDeletion, why: str, *, now: datetime) -> None:
    """fal has said no, and would again: what it keeps is there still."""
    _settle(deletion, FalDeletionState.REFUSED, f"fal did not delete what it keeps. {why}", now)


def note_fal_away(
    deletion: FalDeletion, why: str, *, now: datetime, wait_s: float | None = None
) -> None:
    """fal gave no answer: another try later, at growing intervals for three days."""
    if now - deletion.asked_at >= LONGEST:
        note = f"fal did not answer in {LONGEST.days} days, so it may still keep input and output. {why}"
        _settle(deletion, FalDeletionState.UNREACHABLE, note, now)
        return
    usual_s = _WAITS[min(deletion.tries, len(_WAITS) - 1)]
    with transaction.atomic():
        mine = _mine(deletion)
        due_at = now + timedelta(seconds=max(usual_s, wait_s or 0))
        if (
            mine.update(tries=deletion.tries + 1, note=why[:300], due_at=due_at)
            and not deletion.tries
        ):
            _tell(
                deletion,
                f"fal could not be asked to delete what it keeps: {why} It is tried again.",
                now,
            )


def _mine(deletion: FalDeletion) -> QuerySet[FalDeletion]:
    """Return it unless it has ended, or was asked for anew, meanwhile."""
    waiting = FalDeletion.objects.filter(pk=deletion.pk, asked_at=deletion.asked_at)
    return waiting.filter(state=FalDeletionState.WAITING)


def _settle(deletion: FalDeletion, state: FalDeletionState, note: str, now: datetime) -> None:
    note = note.strip()[:300]
    with transaction.atomic():
        if not _mine(deletion).update(state=state, note=note, ended_at=now, due_at=None):
            return
        on = audit.Noted(
            "request", str(deletion.public_id), deletion.endpoint_id, {"answer": state, "why": note}
        )
        audit.note(AuditAct.DELETED_AT_FAL, on, team_id=deletion.team_id)
        if not _tell(deletion, note, now):
            # No page can show it any more: the trail has it.
            FalDeletion.objects.filter(pk=deletion.pk).delete()


def _tell(deletion: FalDeletion, note: str, now: datetime) -> bool:
    """Note it in the request's history; return False when the request is gone."""
    mine = FalRequest.objects.filter(public_id=deletion.public_id)
    pk = mine.values_list("pk", flat=True).first()
    if pk is None:
        return False
    row = locked(pk)
    record(row, row.status, "fal_deletion", note, Source.US, at=now)
    return True
