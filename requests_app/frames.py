"""The record of a stream or session: frames in order, numbered from 1, appended in batches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from requests_app import announce
from requests_app.loglines import storable
from requests_app.models import Direction, Frame

LARGE = 64 * 1024  # characters of a frame's text that a page fetches by itself instead


@dataclass(frozen=True)
class NewFrame:
    """One frame on its way to the record. `offset_ms` counts from the start of the call."""

    number: int
    offset_ms: float
    data: str
    size: int
    event: str = ""
    event_id: str = ""
    direction: str = Direction.IN
    kind: str = "event"
    raw: bytes | None = None


def append(pk: int, batch: Sequence[NewFrame]) -> None:
    """Store the batch and tell who watches. A batch written twice is stored once."""
    with transaction.atomic():
        Frame.objects.bulk_create(
            [_row(pk, frame) for frame in batch], batch_size=200, ignore_conflicts=True
        )
        announce.framed(pk, batch[-1].number)


def _row(pk: int, frame: NewFrame) -> Frame:
    return Frame(
        request_id=pk,
        number=frame.number,
        offset_ms=frame.offset_ms,
        direction=frame.direction,
        kind=frame.kind,
        event=storable(frame.event)[:100],
        event_id=storable(frame.event_id)[:200],
        data=storable(frame.data),
        raw=frame.raw,
        size=frame.size,
    )


def sketch(frame: Frame | NewFrame) -> dict[str, Any]:
    """What a page shows of a frame; `data` is None when it is large and fetched by itself."""
    return {
        "number": frame.number,
        "offset_ms": frame.offset_ms,
        "direction": frame.direction,
        "kind": frame.kind,
        "event": frame.event,
        "event_id": frame.event_id,
        "data": frame.data if len(frame.data) <= LARGE else None,
        "size": frame.size,
    }
