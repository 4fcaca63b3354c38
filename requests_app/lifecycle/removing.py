"""Retention: delete what a team no longer keeps of ended rows, and note it on the row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction

from requests_app.lifecycle.writing import locked, record
from requests_app.models import (
    BatchItem,
    Delivery,
    FalRequest,
    Frame,
    ItemState,
    LogLine,
    OutputPart,
    Source,
)
from requests_app.thumbnails.states import forget


def remove_payload(pk: int, *, days: int, now: datetime) -> bool:
    """Delete input, output, logs and webhook bodies, and every text derived from them.

    Return False when the row is live or was emptied before. Sizes, verdicts and observations stay.
    """
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended or row.payload_removed_at is not None:
            return False
        LogLine.objects.filter(request=row).delete()
        OutputPart.objects.filter(request=row).delete()
        # A row that waits again is about to be sent, and the feeder locks it before this request.
        rows = BatchItem.objects.filter(request=row).exclude(state=ItemState.WAITING)
        rows.update(values="")
        Delivery.objects.filter(request=row).update(body=b"", headers={})
        columns = {
            "input_text": "",
            "output": None,
            "summary": "",
            "input_digest": "",
            "search_text": "",
            "thumbnail_url": "",
        }
        forget([row.pk])
        what = "Input, output, logs and webhook bodies"
        _removed(row, what, days, now, payload_removed_at=now, **columns)
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
