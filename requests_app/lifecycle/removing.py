"""Delete what a team no longer keeps of ended rows, by its retention or by a user, and note it on the row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from requests_app import announce, audit
from requests_app.error_groups.linking import uncount
from requests_app.lifecycle.emptying import empty, empty_frames
from requests_app.lifecycle.fal_deletions import ask_fal_to_delete, forget_fal_deletions
from requests_app.lifecycle.writing import locked, record
from requests_app.models import AuditAct, FalRequest, Source
from requests_app.overview import marks

_ASKED = " fal is asked to delete what it keeps."


def remove_payload(pk: int, *, days: int, now: datetime, at_fal: bool = False) -> bool:
    """Delete input, output, logs and webhook bodies, and every text derived from them; `at_fal` what fal keeps, too.

    Return False when the row is live or was emptied before. Sizes, verdicts and observations stay.
    """
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.payload_removed_at is not None:
            return False
        columns = empty(row)
        what = "Input, output, logs and webhook bodies"
        also = _ASKED if at_fal and ask_fal_to_delete(row, now=now) else ""
        _removed(row, what, days, now, also, payload_removed_at=now, **columns)
        return True


def delete_payload(
    pk: int, *, person: AbstractBaseUser, now: datetime, at_fal: bool = False
) -> bool:
    """Delete by a user's decision what retention deletes, with events and messages; `at_fal` what fal keeps, too.

    Return False when the row is live or was emptied before.
    """
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.payload_removed_at is not None:
            return False
        columns = empty(row)
        empty_frames(row)
        is_asked = at_fal and ask_fal_to_delete(row, now=now)
        note = f"{person.get_username()} deleted input, output, logs, webhook bodies, events and messages."
        note += _ASKED if is_asked else ""
        # Nothing is left to fetch or to search for.
        columns |= {"payload_removed_at": now, "frames_removed_at": now, "due_at": None}
        record(row, row.status, "removed", note, Source.PERSON, at=now, **columns)
        on = audit.the_request(row, **({"at_fal": True} if is_asked else {}))
        audit.note(AuditAct.PAYLOAD_DELETED, on, team_id=row.team_id, by=person)
        return True


def delete_request(
    pk: int, *, person: AbstractBaseUser, now: datetime, at_fal: bool = False
) -> bool:
    """Delete an ended request with everything that is kept of it, and with `at_fal` what fal keeps.

    What named it names nothing from then on. Return False when the row is live, or a worker has a step left for it.
    """
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.due_at is not None:
            return False
        empty(
            row
        )  # also what does not go with the row: messages, a batch's values, its group's sentence
        forget_fal_deletions([row.public_id])
        is_asked = at_fal and ask_fal_to_delete(row, now=now)
        marks.keep_removed(row)
        row.seq += 1  # open lists ask for a newer version, and find that there is none
        announce.changed(row)
        uncount([pk])
        on = audit.the_request(row, **({"at_fal": True} if is_asked else {}))
        audit.note(AuditAct.REQUEST_DELETED, on, team_id=row.team_id, by=person)
        FalRequest.objects.filter(pk=pk).delete()
        return True


def remove_frames(pk: int, *, days: int, now: datetime) -> bool:
    """Delete the recorded events or messages; return False when the row is live or was emptied before."""
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.frames_removed_at is not None:
            return False
        empty_frames(row)
        _removed(row, "Events and messages", days, now, frames_removed_at=now)
        return True


def _removed(
    row: FalRequest, what: str, days: int, now: datetime, also: str = "", **columns: Any
) -> None:
    note = f"{what} were removed: the team keeps them for {days} days (retention).{also}"
    record(row, row.status, "removed", note, Source.US, at=now, **columns)
