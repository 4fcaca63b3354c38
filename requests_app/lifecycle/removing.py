"""Delete what a team no longer keeps of ended rows, by its retention or by a user, and note it on the row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from requests_app import announce, audit
from requests_app.copies import files as copies
from requests_app.error_groups.linking import uncount
from requests_app.export.jobs import withdraw
from requests_app.lifecycle.writing import locked, record
from requests_app.models import (
    AuditAct,
    BatchItem,
    Delivery,
    FalRequest,
    Frame,
    ItemState,
    LogLine,
    OutputPart,
    Source,
)
from requests_app.overview import marks
from requests_app.thumbnails import states as thumbnails


def remove_payload(pk: int, *, days: int, now: datetime) -> bool:
    """Delete input, output, logs and webhook bodies, and every text derived from them.

    Return False when the row is live or was emptied before. Sizes, verdicts and observations stay.
    """
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.payload_removed_at is not None:
            return False
        columns = _empty(row)
        what = "Input, output, logs and webhook bodies"
        _removed(row, what, days, now, payload_removed_at=now, **columns)
        return True


def _empty(row: FalRequest) -> dict[str, Any]:
    """Delete what lies in other tables; return the row's own columns as they have to be."""
    LogLine.objects.filter(request=row).delete()
    OutputPart.objects.filter(request=row).delete()
    # A row that waits again is about to be sent, and the feeder locks it before this request.
    rows = BatchItem.objects.filter(request=row).exclude(state=ItemState.WAITING)
    rows.update(values="")
    Delivery.objects.filter(request=row).update(body=b"", headers={})
    thumbnails.forget([row.pk])
    copies.forget([row.pk], timezone.now())
    withdraw(row.team_id)
    return {
        "input_text": "",
        "output": None,
        "summary": "",
        "seed": None,
        "input_digest": "",
        "search_text": "",
        "thumbnail_url": "",
        "media_kinds": None,
        "media": None,
    }


def delete_payload(pk: int, *, person: AbstractBaseUser, now: datetime) -> bool:
    """Delete by a user's decision what retention deletes, with events and messages.

    Return False when the row is live or was emptied before.
    """
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.payload_removed_at is not None:
            return False
        columns = _empty(row)
        Frame.objects.filter(request=row).delete()
        note = f"{person.get_username()} deleted input, output, logs, webhook bodies, events and messages."
        columns |= {"payload_removed_at": now, "frames_removed_at": now}
        record(row, row.status, "removed", note, Source.PERSON, at=now, **columns)
        audit.note(AuditAct.PAYLOAD_DELETED, audit.the_request(row), team_id=row.team_id, by=person)
        return True


def delete_request(pk: int, *, person: AbstractBaseUser) -> bool:
    """Delete an ended request with everything that is kept of it. What named it names nothing from then on.

    Return False when the row is live, or a worker has a step left for it.
    """
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.due_at is not None:
            return False
        thumbnails.forget([row.pk])
        copies.forget([row.pk], timezone.now())
        marks.keep_removed(row)
        withdraw(row.team_id)
        row.seq += 1  # open lists ask for a newer version, and find that there is none
        announce.changed(row)
        uncount([pk])
        audit.note(AuditAct.REQUEST_DELETED, audit.the_request(row), team_id=row.team_id, by=person)
        FalRequest.objects.filter(pk=pk).delete()
        return True


def remove_frames(pk: int, *, days: int, now: datetime) -> bool:
    """Delete the recorded events or messages; return False when the row is live or was emptied before."""
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.frames_removed_at is not None:
            return False
        Frame.objects.filter(request=row).delete()
        _removed(row, "Events and messages", days, now, frames_removed_at=now)
        return True


def _removed(row: FalRequest, what: str, days: int, now: datetime, **columns: Any) -> None:
    note = f"{what} were removed: the team keeps them for {days} days (retention)."
    record(row, row.status, "removed", note, Source.US, at=now, **columns)
