"""The record of a stream or session: frames in order, numbered from 1, appended in batches."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import Max
from django.utils.functional import cached_property

from requests_app import announce
from requests_app.models import Direction, Frame
from requests_app.record import bulk_insert

LARGE = 64 * 1024  # characters of a frame's text that a page fetches by itself instead
PAGE = 1000  # frames read at once
PAGE_BYTES = 256 * 1024  # on the wire, of frames read at once


class NewFrame(msgspec.Struct, frozen=True, dict=True):
    """One frame on its way to the record. `offset_ms` counts from the start of the call; texts are
    `storable`.
    """

    number: int
    offset_ms: float
    data: str
    size: int
    event: str = ""
    event_id: str = ""
    direction: str = Direction.IN
    kind: str = "event"
    raw: bytes | None = None
    pair: int | None = None  # the frame it answers
    rtt_ms: float | None = None

    @property
    def memory(self) -> int:
        """About how many bytes it holds on to."""
        return 2 * len(self.data) + len(self.raw or b"") + 600

    @cached_property
    def sketched(self) -> bytes:
        """Its sketch as JSON, made once for all who watch."""
        return msgspec.json.encode(sketch(self))


COLUMNS = NewFrame.__struct_fields__  # of the table, in the order of a NewFrame


def memory_of(frames: Iterable[NewFrame]) -> int:
    """About how many bytes they hold on to."""
    return sum([frame.memory for frame in frames])


def append(pk: int, batch: Sequence[NewFrame]) -> None:
    """Store the batch and tell who watches. A batch written twice is stored once."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            bulk_insert.insert(cursor, pk, batch)
        announce.framed(pk, batch[-1].number)


def read(pk: int, after: int) -> list[NewFrame]:
    """The frames that follow this number in the record: a page of them, and at least one."""
    following = Frame.objects.filter(request_id=pk, number__gt=after).order_by("number")
    last = total = 0
    for number, size in following.values_list("number", "size")[:PAGE]:
        if total and total + size > PAGE_BYTES:
            break
        last, total = number, total + size
    rows = following.filter(number__lte=last).values_list(*COLUMNS) if last else ()
    return [NewFrame(*row) for row in rows]


def last_number(pk: int) -> int:
    """Of the newest frame in the record; 0 for none."""
    return Frame.objects.filter(request_id=pk).aggregate(last=Max("number"))["last"] or 0


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
        "pair": frame.pair,
        "rtt_ms": frame.rtt_ms,
    }


def message(batch: Sequence[NewFrame], **more: str) -> str:
    """What carries a batch to a page, as JSON."""
    frames = [msgspec.Raw(frame.sketched) for frame in batch]
    content = {"type": "frames", **more, "last": batch[-1].number, "frames": frames}
    return msgspec.json.encode(content).decode()
