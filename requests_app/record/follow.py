"""Follow one request: the past from the database first, then live, without gap or repeat.

What a reader gets is read from the database, after the reader's cursor; the channel layer only
wakes the reader. A lost message costs at most one poll. Frames in this process's memory come from
the live feed, some of them before they are on disk. Any number of readers can follow a request; a
reader that leaves changes nothing for fal or for the others.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer
from django.utils import timezone

from requests_app.announce import group_of_request
from requests_app.models import FalRequest, LogLine, Observation
from requests_app.record import storage
from requests_app.record.followers import followers
from requests_app.record.frame import NewFrame
from requests_app.record.live_feed import Reader, feed

logger = logging.getLogger(__name__)

POLL_S = 2.0  # the poll that finds what the channel layer lost
COLLECT_S = 0.05  # debounce after a wake-up: a burst of messages is read once
LIMIT = 200  # observations, or log lines, in one batch
# after an end by webhook, how long to wait for the logs, which come later
AFTERCARE = timedelta(seconds=10)


@dataclass(frozen=True)
class Place:
    """A reader's cursor: the last observation id, log line id and frame number it has."""

    seq: int = 0
    log: int = 0
    frame: int = 0

    def after(self, batch: Portion) -> Place:
        """Return the cursor once the reader has the batch."""
        return Place(
            seq=batch.observations[-1].pk if batch.observations else self.seq,
            log=batch.log_lines[-1].pk if batch.log_lines else self.log,
            frame=batch.frames[-1].number if batch.frames else self.frame,
        )


@dataclass(frozen=True)
class Portion:
    """What is new since the last batch, oldest first; empty after `POLL_S` seconds without news.

    `ended`: the request has ended and everything has been delivered.
    """

    observations: Sequence[Observation] = ()
    log_lines: Sequence[LogLine] = ()
    frames: Sequence[NewFrame] = ()
    ended: bool = False

    @property
    def is_empty(self) -> bool:
        return not (self.observations or self.log_lines or self.frames)


async def follow(
    pk: int, *, after_seq: int = 0, after_frame: int = 0, after_log: int = 0
) -> AsyncGenerator[Portion]:
    """Yield batches of what belongs to the request, until one has `ended`.

    Close the generator (`contextlib.aclosing`) when the reader leaves, so that it leaves its
    group.
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
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


async def ended_within(pk: int, seconds: float) -> bool:
    """Wait until the request has ended, at most for so many seconds; return whether it has.

    Not for its last log lines, which may come after the end.
    """
    clock = asyncio.get_running_loop().time
    last_look = clock() + seconds
    news = _News(sys.maxsize)  # frames wake no one here
    listener = asyncio.create_task(_listen(pk, news))
    try:
        with followers.following((pk,)):
            while True:
                news.woken.clear()  # before reading: what comes meanwhile wakes us again
                await followers.renew_if_due()
                if await database_sync_to_async(_has_ended)(pk):
                    return True
                if clock() >= last_look:
                    return False
                with suppress(TimeoutError):
                    async with asyncio.timeout_at(min(clock() + POLL_S, last_look)):
                        await news.woken.wait()
                        await asyncio.sleep(COLLECT_S)
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)


class _News:
    """What to read next; `woken` is set by the live feed or an announcement.

    `look_at` is when to read the database, `last` the newest frame known to be stored; `frame` is
    the last one the reader has.
    """

    def __init__(self, frame: int) -> None:
        self.frame = self.last = frame
        self.woken = asyncio.Event()
        self.look_at = 0.0  # seconds of the loop's clock; 0: read the past at once
        self.is_over = False  # nothing comes after frame `last`

    def heard(self, message: Mapping[str, Any]) -> None:
        """Take an announcement; a burst of them is read once. Frames the reader has are ignored."""
        if "last" not in message:
            self.look_at = min(self.look_at, asyncio.get_running_loop().time() + COLLECT_S)
        elif message["last"] > self.frame:
            self.last = max(self.last, message["last"])
        else:
            return
        self.woken.set()

    def learnt(self, found: _Found) -> None:
        """Take what a read of the database found."""
        self.last = max(self.last, found.last)
        self.is_over = found.is_over
        self.look_at = 0.0 if found.is_more else asyncio.get_running_loop().time() + POLL_S


@dataclass(frozen=True)
class _Found:
    """The result of one read of the database, without the frames themselves."""

    is_over: bool
    observations: Sequence[Observation]
    log_lines: Sequence[LogLine]
    is_more: bool
    last: int


async def _next(pk: int, place: Place, news: _News, reader: Reader) -> Portion:
    """Read the database when it is time to; take frames from memory where they are there."""
    clock = asyncio.get_running_loop().time
    while True:
        news.woken.clear()  # before reading: what comes meanwhile wakes us again
        found = None
        if news.look_at <= clock() and not news.is_over:
            found = await database_sync_to_async(_look)(pk, place)
            news.learnt(found)
        fresh = reader.take(place.frame) or await _recorded(pk, place, news, reader)
        has_all = (fresh[-1].number if fresh else place.frame) >= news.last
        ended = news.is_over and has_all
        if found:
            return Portion(found.observations, found.log_lines, fresh, ended=ended)
        if fresh or ended:
            return Portion(frames=fresh, ended=ended)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(news.look_at):
                await news.woken.wait()


async def _recorded(pk: int, place: Place, news: _News, reader: Reader) -> Sequence[NewFrame]:
    """Read frames that are stored and not in memory."""
    known = news.last
    if known <= place.frame:
        return ()
    found: Sequence[NewFrame] = await database_sync_to_async(_read)(pk, place.frame, reader)
    if not found and known == news.last:
        news.last = place.frame  # deleted by retention: do not ask again and again
    return found


async def _listen(pk: int, news: _News) -> None:
    layer: Any = get_channel_layer()
    group = group_of_request(pk)
    me = asyncio.current_task()
    try:
        channel = await layer.new_channel()
        await layer.group_add(group, channel)
        try:
            news.heard({})  # for what was announced before we joined the group
            # Before Python 3.12 `asyncio.wait_for`, which redis-py uses to send, may swallow a
            # cancellation (cpython #86296); we would then wait here for ever, and `follow` for us.
            while me and not me.cancelling():
                news.heard(await layer.receive(channel))
        finally:
            await layer.group_discard(group, channel)
    except Exception:
        logger.warning("The channel layer is away; this reader polls.", exc_info=True)


def _look(pk: int, place: Place) -> _Found:
    # Read the end first: all that was committed before it is then found by the later queries.
    is_over = _is_settled(pk)
    mine = {"request_id": pk}
    observations = list(Observation.objects.filter(**mine, id__gt=place.seq).order_by("id")[:LIMIT])
    log_lines = list(LogLine.objects.filter(**mine, id__gt=place.log).order_by("id")[:LIMIT])
    is_more = LIMIT in (len(observations), len(log_lines))
    last = storage.last_number(pk)
    return _Found(is_over and not is_more, observations, log_lines, is_more, last)


def _has_ended(pk: int) -> bool:
    return not FalRequest.objects.filter(pk=pk, ended_at=None).exists()


def _is_settled(pk: int) -> bool:
    """Whether the request has ended and the last poll for its logs is done or took too long."""
    ended_at, due_at = FalRequest.objects.values_list("ended_at", "due_at").get(pk=pk)
    return ended_at is not None and (due_at is None or timezone.now() - ended_at > AFTERCARE)


def _read(pk: int, after: int, reader: Reader) -> Sequence[NewFrame]:
    """Read from the database, unless another reader did so first: they take turns on one thread."""
    if found := reader.take(after):
        return found
    page = storage.read(pk, after)
    reader.keep(page)
    return reader.take(after) or page
