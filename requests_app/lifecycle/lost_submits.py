"""Match a submit without a clear answer against fal's list of finished requests."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q

from requests_app.fal.errors import FalError, Refused
from requests_app.fal.finished import Listed
from requests_app.lifecycle.hearing import observe
from requests_app.lifecycle.writing import locked, record
from requests_app.models import FalRequest, Mode, Observation, Source, Status
from requests_app.rules.lost_submit import REACH, LostSubmit, is_same, match_listed
from requests_app.rules.transitions import LostSubmitFound

MOST_TOLD = 10  # ids named in an observation
_TROUBLE = ("list_refused", "list_unanswered")


def match_lost_submit(pk: int, lost: LostSubmit, found: Sequence[Listed], *, now: datetime) -> None:
    """Adopt the id of the one candidate (see `rules.lost_submit`), or note why none can be adopted.

    Reads without a lock: a later submit cannot have made what is listed already.
    """
    ids = {one.request_id for one in found}
    claimed = FalRequest.objects.filter(fal_request_id__in=ids)
    taken = set(claimed.values_list("fal_request_id", flat=True))
    is_timed = all(one.sent_at for one in found)
    has_twin = bool(ids - taken) and _has_twin(pk, lost, is_timed=is_timed)
    verdict = match_listed(ids, claimed=taken, has_twin=has_twin)
    if verdict.request_id:
        _adopt(pk, verdict.request_id, now)
    elif verdict.doubt:
        told = (
            [] if has_twin else sorted(ids - taken)[:MOST_TOLD]
        )  # a twin may belong to another team
        _tell(pk, "list_unclear", verdict.doubt, now, request_ids=told)
    else:
        _tell(pk, "list_read", "fal's list can be read again.", now)


def note_list_unreadable(pk: int, error: FalError, *, now: datetime) -> None:
    """Note that fal's list could not be read."""
    if isinstance(error, Refused):
        note = f"fal's list of finished requests is not shown to this installation's key: {error}"
        _tell(pk, "list_refused", note, now, code=error.status_code)
    else:
        note = f"fal's list of finished requests could not be read: {error}"
        _tell(pk, "list_unanswered", note, now)


def _has_twin(pk: int, lost: LostSubmit, *, is_timed: bool) -> bool:
    """Return whether another row of any team sent the same input at about that time.

    All teams share one key. Direct calls count too, for they may be listed. When the list has no times,
    every row with the same input counts.
    """
    others = FalRequest.objects.filter(endpoint_id=lost.endpoint_id, sent_at__isnull=False)
    others = others.exclude(pk=pk).exclude(mode=Mode.REALTIME)
    if is_timed:
        near = Q(sent_at__range=(lost.sent_at - REACH, lost.sent_at + REACH))
        others = others.filter(near | Q(status__in=(Status.SUBMITTING, Status.UNCERTAIN)))
    texts = others.exclude(input_text="").values_list("input_text", flat=True)
    return any(is_same(lost.input, json.loads(text)) for text in texts.iterator())


def _adopt(pk: int, request_id: str, now: datetime) -> None:
    try:
        with transaction.atomic():
            observe(pk, LostSubmitFound(request_id), source=Source.LIST, asked_at=now)
    except IntegrityError:
        return  # another row took this id a moment ago; the next search sees that


def _tell(pk: int, kind: str, note: str, now: datetime, **data: Any) -> None:
    """Note something once, not at every search; "can be read again" only after trouble."""
    with transaction.atomic():
        row = locked(pk)
        told = Observation.objects.filter(request_id=pk, source=Source.LIST).order_by("-id").first()
        is_known = told is not None and (told.kind, told.note) == (kind, note)
        is_no_news = kind == "list_read" and (told is None or told.kind not in _TROUBLE)
        if row.is_lost and not is_known and not is_no_news:
            record(row, row.status, kind, note, Source.LIST, at=now, data=data)
