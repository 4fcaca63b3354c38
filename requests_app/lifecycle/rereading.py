"""Ask fal once more about what has ended: what it adds is stored, and the end stays as it is."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction

from requests_app import announce
from requests_app.lifecycle.writing import locked, record
from requests_app.models import FalRequest, Mode, Observation, Source

ASKED = "reread"
GONE = "reread_gone"


def can_reread(row: FalRequest) -> bool:
    """Return whether fal can be asked about an ended request: it was queued, and nothing of it was removed."""
    is_fals = row.mode == Mode.QUEUE and bool(row.fal_request_id)
    return row.is_ended and is_fals and row.payload_removed_at is None


def reread(pk: int, *, person: AbstractBaseUser, now: datetime) -> bool:
    """Have the worker ask fal for the status, and for a result that is missing; False when it cannot."""
    with transaction.atomic():
        row = locked(pk)
        if not can_reread(row):
            return False
        note = f"{person.get_username()} asked to read it again from fal."
        record(row, row.status, ASKED, note, Source.PERSON, at=now, due_at=now, tries=0)
        announce.work(pk)
        return True


def note_reread_gone(pk: int, *, now: datetime) -> bool:
    """Note that fal no longer knows a request that was to be read again; False when that was not asked."""
    with transaction.atomic():
        row = locked(pk)
        heard = Observation.objects.filter(request=row, kind__in=(ASKED, GONE)).order_by("-pk")
        if heard.values_list("kind", flat=True).first() != ASKED:
            return False
        note = (
            "fal no longer knows this request: there is nothing to read again. Nothing has changed."
        )
        record(row, row.status, GONE, note, Source.POLL, at=now)
        return True
