"""Note failed polls on the timeline, so that users see why nothing happens."""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile

from django.db import transaction

from requests_app.lifecycle.writing import locked, record
from requests_app.models import Observation, Source
from requests_app.rules.paid_result import Doubt, Doubts

_KINDS = ("denied", "unanswered", "answered")


def note_denied(pk: int, what: str, *, now: datetime) -> int:
    """Note that fal does not know the "request" or its "result"; return the consecutive denials so far."""
    _tell(pk, "denied", f"fal says it does not know this {what}.", now, what=what)
    heard = Observation.objects.filter(request_id=pk, kind__in=_KINDS).order_by("-id")
    since = takewhile(lambda seen: seen.kind != "answered", heard)
    return sum(seen.kind == "denied" and seen.data.get("what") == what for seen in since)


def note_doubt(pk: int, doubt: Doubt, *, now: datetime) -> Doubts:
    """Note an answer that is not the result; return what is known of all such answers so far."""
    note = f"Not the result: {doubt.sentence.rstrip('.')}. It is fetched again."
    key = {"code": doubt.status_code, "from_fal": doubt.is_from_fal}
    _tell(pk, "not_result", note, now, **key)
    heard = Observation.objects.filter(request_id=pk, kind="not_result").order_by("-id")
    so_far = list(heard.values_list("data", "heard_at"))
    alike = sum(1 for _ in takewhile(lambda seen: seen[0] == key, so_far))
    return Doubts(len(so_far), alike, so_far[-1][1] if so_far else now)


def note_unanswered(pk: int, reason: str, *, now: datetime) -> None:
    """Note that fal could not be polled for a while."""
    _tell(
        pk,
        "unanswered",
        f"{reason.rstrip('.')}. It is asked again; nothing is lost meanwhile.",
        now,
    )


def note_recovered(pk: int, *, now: datetime) -> None:
    """Note that fal answers again, if the last note says that it did not."""
    heard = Observation.objects.filter(request_id=pk, kind__in=_KINDS).order_by("-id")
    if heard.values_list("kind", flat=True).first() in ("denied", "unanswered"):
        _tell(pk, "answered", "fal answers again.", now)


def _tell(pk: int, kind: str, note: str, now: datetime, **data: object) -> None:
    with transaction.atomic():
        row = locked(pk)
        if not row.is_ended:
            record(row, row.status, kind, note, Source.POLL, at=now, data=data)
