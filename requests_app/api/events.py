"""Follow one request as server-sent events.

A plain streaming response of Django's: its generator is cancelled when the client disconnects,
which a Channels consumer's is not.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from django.db.models import Max
from django.http import HttpRequest, StreamingHttpResponse
from ninja import Schema
from ninja.responses import NinjaJSONEncoder

from requests_app.api import rows
from requests_app.api.auth import token_of
from requests_app.api.errors import BadHeader
from requests_app.api.schemas import FrameOut, LogLineOut, ObservationOut, RequestOut
from requests_app.api.seats import Seat, Seats
from requests_app.models import ApiToken, FalRequest
from requests_app.record.follow import Place, Portion, follow
from requests_app.record.followers import followers
from requests_app.record.storage import last_number

MAX_STREAMS = 20  # at once per token, in this process
KEEP_ALIVE_S = 15.0
RECHECK_S = 5.0  # how long a revoked token or a removed member may still listen
_ID = re.compile(r"([0-9]{1,18})-([0-9]{1,18})-([0-9]{1,9})", re.ASCII)


_seats = Seats()


async def response(
    request: Any, request_id: str, last_event_id: str | None
) -> StreamingHttpResponse:
    """Open the stream. Raises Http404, BadHeader, TooManyStreams."""
    token: ApiToken = request.auth
    row = await sync_to_async(rows.get_or_404)(token, request_id)
    place = _parse_id(last_event_id)
    await sync_to_async(_ensure_reached)(row, place)
    seat = _seats.take(token, MAX_STREAMS, f"A token may follow {MAX_STREAMS} requests at once.")
    stream = _stream(request, row, place, seat)
    headers = {"X-Accel-Buffering": "no"}
    return StreamingHttpResponse(stream, content_type="text/event-stream", headers=headers)


def _parse_id(text: str | None) -> Place:
    if not text:
        return Place()
    found = _ID.fullmatch(text)
    if found is None:
        raise BadHeader("Last-Event-ID", "This is no event id of this stream.")
    seq, log, frame = map(int, found.groups())
    return Place(seq=seq, log=log, frame=frame)


def _ensure_reached(row: FalRequest, place: Place) -> None:
    """Reject a Last-Event-ID newer than the newest stored event."""
    newest = {
        "seq": row.observations.aggregate(last=Max("id"))["last"],
        "log": row.log_lines.aggregate(last=Max("id"))["last"],
        # A reader may have frames of a live request that are not on disk yet.
        "frame": last_number(row.pk) if row.is_ended else None,
    }
    for name, last in newest.items():
        # without one: they may have been deleted by retention
        if last and getattr(place, name) > last:
            raise BadHeader("Last-Event-ID", "This id lies beyond what the request has.")


async def _stream(
    request: HttpRequest, row: FalRequest, place: Place, seat: Seat
) -> AsyncGenerator[str]:
    """Yield the texts of events; holds the seat until it is finished or garbage-collected."""
    written = checked = time.monotonic()
    batches = follow(row.pk, after_seq=place.seq, after_log=place.log, after_frame=place.frame)
    followed = () if row.is_ended else (row.pk,)
    with followers.following(followed):
        await followers.renew_if_due()
        async with aclosing(batches):
            async for batch in batches:
                await followers.renew_if_due()
                now = time.monotonic()
                if now - checked > RECHECK_S:
                    token = await database_sync_to_async(token_of)(request)
                    if not token or not token.sees:
                        return
                    checked = now
                for text in _of_batch(batch, place):
                    yield text
                place = place.after(batch)
                if batch.ended:
                    yield await database_sync_to_async(_end)(request, row.pk, place)
                elif not batch.is_empty:
                    written = now
                elif now - written > KEEP_ALIVE_S:
                    yield ": still here\n\n"
                    written = now


def _of_batch(batch: Portion, place: Place) -> Iterator[str]:
    """Yield events; each one's id is the reader's cursor after it."""
    for observation in batch.observations:
        place = replace(place, seq=observation.pk)
        yield _event("status", place, ObservationOut.from_orm(observation))
    for line in batch.log_lines:
        place = replace(place, log=line.pk)
        yield _event("log", place, LogLineOut.from_orm(line))
    for frame in batch.frames:
        place = replace(place, frame=frame.number)
        yield _event("frame", place, FrameOut.from_orm(frame))


def _end(request: Any, pk: int, place: Place) -> str:
    return _event("end", place, RequestOut.from_orm(rows.of(request.auth).get(pk=pk)))


def _event(name: str, place: Place, data: Schema) -> str:
    text = json.dumps(data.model_dump(), cls=NinjaJSONEncoder)  # one line: JSON escapes line breaks
    return f"event: {name}\nid: {place.seq}-{place.log}-{place.frame}\ndata: {text}\n\n"
