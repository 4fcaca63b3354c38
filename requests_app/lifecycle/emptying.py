"""Delete input and output of a locked row, and every text, file and entry that was made of them.

What stays: status, times, sizes, cost, endpoint, options, tags, what users noted, and of an error its type and code.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from requests_app.copies import files as copies
from requests_app.export.jobs import withdraw
from requests_app.fal.payload_deletion import takes
from requests_app.models import (
    BatchItem,
    BulkItem,
    Delivery,
    ErrorGroup,
    ErrorTally,
    FalRequest,
    ForwardMessage,
    Frame,
    ImportedRun,
    ItemState,
    LocalJob,
    LogLine,
    NoticeEvent,
    Observation,
    Outcome,
    OutputPart,
    Source,
    kind_of_error,
)
from requests_app.thumbnails import states as thumbnails

# Observations whose sentences are ours and tell of no content.
_TELLS_NOTHING = ("sent", "accepted", "status", "logs", "priced", "removed", "cancel_answer")


def empty(row: FalRequest) -> dict[str, Any]:
    """Delete what lies in other tables and files; return the row's own columns as they have to be."""
    LogLine.objects.filter(request=row).delete()
    OutputPart.objects.filter(request=row).delete()
    Delivery.objects.filter(request=row).update(body=b"", headers={})
    ForwardMessage.objects.filter(request=row).delete()
    empty_elsewhere([row.pk])
    _empty_history(row)
    if takes(row.fal_request_id):  # what the queue of own apps keeps for its hour
        LocalJob.objects.filter(request_id=row.fal_request_id).exclude(ended_at=None).delete()
    thumbnails.forget([row.pk])
    copies.forget([row.pk], timezone.now())
    withdraw(row.team_id)
    _empty_error(row)
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


def empty_elsewhere(pks: Collection[int]) -> None:
    """Empty what quotes these requests and does not go with their rows: batches, messages, bulk actions."""
    # A row that waits again is about to be sent, and the feeder locks it before this request.
    rows = BatchItem.objects.filter(request__in=pks).exclude(state=ItemState.WAITING)
    rows.update(values="")
    BulkItem.objects.filter(request__in=pks, outcome=Outcome.FAILED).update(note="")
    NoticeEvent.objects.filter(request__in=pks).update(line="A request that was deleted here since")


def empty_frames(row: FalRequest) -> None:
    """Delete events of a stream and messages of a session."""
    Frame.objects.filter(request=row).delete()


def _empty_history(row: FalRequest) -> None:
    """Take the sentences of fal and of failures out of the history; what happened and when stays."""
    heard = Observation.objects.filter(request=row).exclude(kind__in=_TELLS_NOTHING)
    heard.exclude(source=Source.PERSON).update(note="", data={})
    for run in ImportedRun.objects.filter(request=row).only("facts"):
        facts = json.loads(run.facts) | {"error": ""}
        ImportedRun.objects.filter(pk=run.pk).update(facts=json.dumps(facts), observations="")


def _empty_error(row: FalRequest) -> None:
    """Keep type and code of an error: its sentence may quote the input.

    Written before the row's other columns, so that it is no news that would look for a group of its own.
    """
    if row.error:
        row.error = kind_of_error(row.error_type, row.error_code)
        FalRequest.objects.filter(pk=row.pk).update(error=row.error)
    if row.error_key is not None and not _others_kept(row).exists():
        for model in (ErrorGroup, ErrorTally):
            mine: QuerySet[Any] = model._default_manager.filter(team=row.team_id, key=row.error_key)
            mine.update(sentence="")


def _others_kept(row: FalRequest) -> QuerySet[FalRequest]:
    """Return requests of the same group of errors that still have their sentence, newest first."""
    alike = FalRequest.objects.filter(
        team=row.team_id, error_key=row.error_key, payload_removed_at=None
    )
    return alike.exclude(pk=row.pk).order_by("-pk")
