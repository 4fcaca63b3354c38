"""Follow one request: its past from the database first, then live, without gap or repeat.

What is handed out is read from the database, after the place the reader has reached; the channel
layer only wakes the reader. A lost message costs at most one poll. Frames that are recorded in this
very process come by the feed, before they are on disk. A request can be followed by as
many readers as wanted, and a reader that goes changes nothing for fal or for the others.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from requests_app.announce import group_of_request
from requests_app.feed import Reader, feed
from requests_app.frames import COLUMNS, NewFrame
from requests_app.models import FalRequest, Frame, LogLine, Observation

logger = logging.getLogger(__name__)

POLL_S = 2.0  # the guarantee behind the wake-ups
COLLECT_S = 0.05  # after a wake-up: a burst of messages is read once
LIMIT = 200  # observations, or log lines, in one batch
FRAMES = 1000  # small frames in one batch: a reader that is behind a burst must catch up
AFTERCARE = timedelta(seconds=10)  # an end by webhook comes before its logs: wait for them so long
FRAME_BYTES = 256 * 1024  # of frames in one batch, which a slow reader keeps in memory


@dataclass(frozen=True)
class Place:
    """How far a reader has come: the last observation id, log line id and frame number it has."""

    seq: int = 0
    log: int = 0
    frame: int = 0

    def after(self, batch: Batch) -> Place:
        """The place once the reader has the batch."""
        return Place(
            seq=batch.observations[-1].pk if batch.observations else self.seq,
            log=batch.log_lines[-1].pk if batch.log_lines else self.log,
            frame=batch.frames[-1].number if batch.frames else self.frame,
        )


@dataclass(frozen=True)
class Batch:
    """What came since the last one, oldest first; empty when nothing came for `POLL_S` seconds.

    `more`: there is more in the database already. `ended`: the request has ended and everything
    has been handed out.
    """

    observations: list[Observation] = field(default_factory=list)
    log_lines: list[LogLine] = field(default_factory=list)
    frames: Sequence[NewFrame] = ()
    more: bool = False
    ended: bool = False

    @property
    def is_empty(self) -> bool:
        """Nothing came."""
        return not (self.observations or self.log_lines or self.frames)


async def follow(
    pk: int, *, after_seq: int = 0, after_frame: int = 0, after_log: int = 0
) -> AsyncGenerator[Batch]:
    """Batches of what belongs to the request, until one has `ended`.

    Close the generator (`contextlib.aclosing`) when the reader goes, so that it leaves its group.
    """
    place = Place(seq=after_seq, log=after_log, frame=after_frame)
    news = _News(place.frame)
    listener = asyncio.create_task(_listen(pk, news))
    try:
        with feed.reader(pk, news.woken.set) as reader:
            while True:
                batch = await _next(pk, place, news, reader)
                yield batch
                if batch.ended:
                    return
                place = place.after(batch)
                news.frame = place.frame
                if batch.more:
                    news.look_at = 0.0
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


class _News:
    """When to look: `woken` by the feed or an announcement, `look_at` is the database's next turn.

    `frame` is the last one the reader has.
    """

    def __init__(self, frame: int) -> None:
        self.frame = frame
        self.woken = asyncio.Event()
        self.look_at = 0.0  # seconds of the loop's clock; 0: at once, the past

    def heard(self, message: Mapping[str, Any]) -> None:
        """An announcement: a burst of them is read once. Word of frames it has is no news."""
        if message.get("last", self.frame + 1) > self.frame:
            self.look_at = min(self.look_at, asyncio.get_running_loop().time() + COLLECT_S)
            self.woken.set()


async def _next(pk: int, place: Place, news: _News, reader: Reader) -> Batch:
    """The feed's frames as soon as there are any; the database when it is time to look there."""
    clock = asyncio.get_running_loop().time
    while True:
        news.woken.clear()  # before looking: what comes while we look wakes us again
        if news.look_at <= clock():
            news.look_at = clock() + POLL_S
            batch: Batch = await database_sync_to_async(_read)(pk, place)
            return batch
        if fresh := reader.take(place.frame):
            return Batch(frames=fresh)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(news.look_at):
                await news.woken.wait()


async def _listen(pk: int, news: _News) -> None:
    layer: Any = get_channel_layer()
    group = group_of_request(pk)
    me = asyncio.current_task()
    try:
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        try:
            news.heard({})  # what was announced before we joined
            # Before Python 3.12 `asyncio.wait_for`, by which redis-py sends, may return as if nobody
            # had cancelled it (cpython #86296); we would then wait here for ever, and `follow` for us.
            while me and not me.cancelling():
                news.heard(await layer.receive(channel))
        finally:
            await layer.group_discard(group, channel)
    except Exception:
        logger.warning("The channel layer is away; this reader polls.", exc_info=True)


def _read(pk: int, place: Place) -> Batch:
    # The end first: whatever was committed before the end is then found by the later queries.
    ended = _is_settled(pk)
    mine = {"request_id": pk}
    observations = list(Observation.objects.filter(**mine, id__gt=place.seq).order_by("id")[:LIMIT])
    log_lines = list(LogLine.objects.filter(**mine, id__gt=place.log).order_by("id")[:LIMIT])
    frames, more_frames = _read_frames(pk, place.frame)
    more = more_frames or LIMIT in (len(observations), len(log_lines))
    return Batch(observations, log_lines, frames, more=more, ended=ended and not more)


def _is_settled(pk: int) -> bool:
    """The request has ended, and the last look for its logs is done or has taken too long."""
    ended_at, due_at = FalRequest.objects.values_list("ended_at", "due_at").get(pk=pk)
    return ended_at is not None and (due_at is None or timezone.now() - ended_at > AFTERCARE)


def _read_frames(pk: int, after: int) -> tuple[list[NewFrame], bool]:
    """Frames up to `FRAME_BYTES` together, and whether there are more."""
    following = Frame.objects.filter(request_id=pk, number__gt=after).order_by("number")
    sizes = list(following.values_list("number", "size")[:FRAMES])
    last, total = after, 0
    for number, size in sizes:
        if total and total + size > FRAME_BYTES:
            break
        last, total = number, total + size
    more = len(sizes) == FRAMES or (bool(sizes) and last != sizes[-1][0])
    rows = following.filter(number__lte=last).values_list(*COLUMNS) if sizes else ()
    return [NewFrame(*row) for row in rows], more
