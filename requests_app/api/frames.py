"""Read the record of a stream or session: a page of frames as JSON, or all of them as JSON lines."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Annotated, Any, Literal

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from ninja import Schema
from pydantic import ConfigDict, Field

from requests_app.api import rows
from requests_app.api.schemas import FrameKind, FrameOut
from requests_app.models import ApiToken, Direction, FalRequest, Frame

LAST = 2**31 - 1
USUAL = 200  # frames per page
BYTES_AT_ONCE = 4 * 1024 * 1024  # of frames in memory; one frame may be larger
LOOK_AHEAD = 1000  # frames


class RecordedFrame(FrameOut):
    """A frame with the bytes of a binary message (base64), when they were asked for."""

    raw: str | None = None


class RecordFull(Schema):
    """The record reached its cap after this frame (0: it holds none), `offset_ms` after the start.

    `count`: how many frames there were in all; null until the stream or session is over.
    """

    frame: int
    count: int | None
    offset_ms: float
    at: datetime
    note: str


class FramePage(Schema):
    """Frames by number; pass `next_after` as `after`. It is null when there are no more now.

    `ended`: the request has ended and these are the last ones. `record_full` is null unless later
    frames were left out of the record.
    """

    items: list[RecordedFrame]
    next_after: int | None
    ended: bool
    record_full: RecordFull | None


class FrameFilters(Schema):
    """Filters of frames, by number."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=LAST, description="a frame's number")] = 0
    limit: Annotated[
        int | None,
        Field(ge=1, le=1000, description=f"at most so many; JSON {USUAL}, jsonl all if not said"),
    ] = None
    direction: Direction | None = None
    kind: Annotated[list[FrameKind], Field(description="may be repeated")] = []
    raw: Annotated[bool, Field(description="also the bytes of binary messages, as base64")] = False
    format: Annotated[Literal["json", "jsonl"], Field(description="jsonl: one a line")] = "json"


async def response(token: ApiToken, request_id: str, filters: FrameFilters) -> Any:
    """Return a page, or the download. Raises Http404."""
    row = await sync_to_async(rows.get_or_404)(token, request_id)
    if filters.format == "json":
        return await sync_to_async(_page)(row, filters)
    return StreamingHttpResponse(
        _lines(row, filters),
        content_type="application/jsonl; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{row.public_id}.jsonl"',
            "X-Content-Type-Options": "nosniff",
        },
    )


def _page(row: FalRequest, filters: FrameFilters) -> FramePage:
    # The row was read first: frames committed before its end are all found now.
    found, more = _batch(row, filters, filters.after, filters.limit or USUAL)
    return FramePage(
        items=[_shown(frame, with_raw=filters.raw) for frame in found],
        next_after=found[-1].number if more else None,
        ended=row.is_ended and not more,
        record_full=_full(row),
    )


def _full(row: FalRequest) -> RecordFull | None:
    told = row.observations.filter(kind="capped").first()
    if told is None:
        return None
    counted = row.observations.filter(kind="counted").first()
    return RecordFull(
        frame=told.data["frame"],
        count=counted.data["count"] if counted else None,
        offset_ms=told.data["offset_ms"],
        at=told.heard_at,
        note=told.note,
    )


async def _lines(row: FalRequest, filters: FrameFilters) -> AsyncGenerator[str]:
    """Yield batch by batch: a record of any size takes only one batch of memory."""
    after, more, left = filters.after, True, filters.limit or LAST
    while more and left:
        most = min(left, LOOK_AHEAD)
        found, more = await database_sync_to_async(_batch)(row, filters, after, most)
        yield "".join(_line(frame, with_raw=filters.raw) for frame in found)
        after = found[-1].number if found else after
        left -= len(found)


def _batch(
    row: FalRequest, filters: FrameFilters, after: int, limit: int
) -> tuple[list[Frame], bool]:
    """Return at most `limit` frames and about `BYTES_AT_ONCE`, at least one; and whether more
    follow.
    """
    matching = _matching(row, filters).filter(number__gt=after).order_by("number")
    sizes = list(matching.values_list("number", "size")[: limit + 1])
    last, total = after, 0
    for number, size in sizes[:limit]:
        total += size
        if last > after and total > BYTES_AT_ONCE:
            break
        last = number
    more = bool(sizes) and sizes[-1][0] > last
    wanted = matching if filters.raw else matching.defer("raw")
    return list(wanted.filter(number__lte=last)) if sizes else [], more


def _matching(row: FalRequest, filters: FrameFilters) -> QuerySet[Frame]:
    frames = Frame.objects.filter(request=row)
    if filters.direction:
        frames = frames.filter(direction=filters.direction)
    return frames.filter(kind__in=filters.kind) if filters.kind else frames


def _shown(frame: Frame, *, with_raw: bool) -> RecordedFrame:
    shown = RecordedFrame(**FrameOut.from_orm(frame).model_dump())
    if with_raw and frame.raw is not None:
        shown.raw = base64.b64encode(frame.raw).decode()
    return shown


def _line(frame: Frame, *, with_raw: bool) -> str:
    """Write one JSON line; JSON escapes every line break, also the Unicode ones."""
    shown = _shown(frame, with_raw=with_raw).model_dump(exclude=set() if with_raw else {"raw"})
    return json.dumps(shown) + "\n"
