"""The record of a stream: its events in order, numbered from 1, appended in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction

from requests_app import announce
from requests_app.fal.streams import StreamEvent
from requests_app.loglines import storable
from requests_app.models import Frame


@dataclass(frozen=True)
class Heard:
    """One event, its number, and when it came (ms since the call began)."""

    number: int
    offset_ms: float
    event: StreamEvent


def append(pk: int, batch: Sequence[Heard]) -> None:
    """Store the batch and tell who watches. A batch written twice is stored once."""
    with transaction.atomic():
        Frame.objects.bulk_create(
            [_row(pk, heard) for heard in batch], batch_size=200, ignore_conflicts=True
        )
        announce.framed(pk, batch[-1].number)


def _row(pk: int, heard: Heard) -> Frame:
    event = heard.event
    return Frame(
        request_id=pk,
        number=heard.number,
        offset_ms=heard.offset_ms,
        event=storable(event.name or "")[:100],
        event_id=storable(event.event_id or "")[:200],
        data=storable(event.data),
        size=event.raw_size,
    )
