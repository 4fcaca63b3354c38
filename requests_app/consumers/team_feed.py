"""What changed in a team, once per process: one subscription, one debounce, one rendering for all
of the team's open pages.

A message of the channel layer may be lost, and the layer may be down without an error; so the feed
compares the database with what it has told every few seconds.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Coroutine, Iterable, Mapping
from functools import cached_property
from typing import Any, Protocol
from weakref import WeakKeyDictionary

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from requests_app.announce import group_of_team
from requests_app.consumers.newest import MOST, Versions, newest_versions
from requests_app.views.row_html import RowVariant, pushed_rows

LEAD_S = 0.01  # wait after a first change: one transaction often brings several
PAUSE_S = 0.04  # debounce: least time between two messages
LOOK_S = 4.0  # poll for lost messages as often as a page without a socket does
RETRY_S = 1.0  # to subscribe again
SLICE = 100  # sockets served before others have a turn on the loop
OVERLAP_ROWS = 20  # told again to a page that comes back
MOST_PUSHED = 30  # rows pushed as HTML in one message; pages fetch those of a larger burst

logger = logging.getLogger(__name__)


class News:
    """Changed rows with their versions, encoded once for all pages that show them alike."""

    def __init__(self, rows: Iterable[tuple[str, int]], html: Mapping[RowVariant, str]) -> None:
        self.rows = list(rows)
        self._html = html
        self._texts: dict[RowVariant, str] = {}

    @cached_property
    def plain(self) -> str:
        """Return the message without HTML."""
        return json.dumps({"type": "changed", "rows": self.rows})

    def text(self, variant: RowVariant | None) -> str:
        """Return the message for pages of this variant; None for those that fetch the rows."""
        if variant is None or variant not in self._html:
            return self.plain
        if variant not in self._texts:
            message = {"type": "changed", "rows": self.rows, "html": self._html[variant]}
            self._texts[variant] = json.dumps(message)
        return self._texts[variant]


class Viewer(Protocol):
    """An open page."""

    variant: RowVariant | None

    def tell(self, news: News) -> None:
        """Pass the news on without waiting."""


class TeamFeed:
    """Of one team on one event loop; runs while it has viewers."""

    def __init__(self, team_id: int) -> None:
        self.team_id = team_id
        self.viewers: set[Viewer] = set()
        self.is_over = False
        self._seen: Versions = {}  # the newest versions at the last poll
        self._told: dict[str, int] = {}  # versions told since then
        self._waiting: dict[str, int] = {}
        self._free_at = 0.0  # when the next message may go, by the loop's clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._flusher: asyncio.Task[None] | None = None
        self._start = asyncio.create_task(self._started())

    # --- viewers ----------------------------------------------------------------------------------

    @property
    def newest(self) -> int:
        """Return the newest version that the database is known to have had."""
        return max(self._seen.values(), default=0)

    async def join(self, viewer: Viewer) -> None:
        """Tell the viewer from now on; returns once nothing new can be missed."""
        self.viewers.add(viewer)
        try:
            await asyncio.shield(self._start)
        except BaseException:
            await self.leave(viewer)
            raise

    async def leave(self, viewer: Viewer) -> None:
        """Tell the viewer no more; the last one ends the feed."""
        self.viewers.discard(viewer)
        if not self.viewers and not self.is_over:
            self.is_over = True
            _forget(self)
            tasks = [self._start, *self._tasks]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def since(self, seq: int) -> list[tuple[str, int]] | None:
        """Return the rows newer than this version, and some older ones, whose transactions may
        have been slower; None when there may be more than the feed knows.
        """
        known = {**self._seen, **self._told}
        ordered = sorted(known.items(), key=lambda item: item[1], reverse=True)
        newer = sum(1 for _, known_seq in ordered if known_seq > seq)
        if newer == len(ordered) and newer >= MOST:
            return None
        return ordered[: newer + OVERLAP_ROWS]

    # --- news -------------------------------------------------------------------------------------

    async def _started(self) -> None:
        layer: Any = get_channel_layer()
        channel = await layer.new_channel()
        await layer.group_add(group_of_team(self.team_id), channel)
        self._begin(self._listen(layer, channel))
        self._seen = await newest_versions(self.team_id)
        self._begin(self._look_often())

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _listen(self, layer: Any, channel: str) -> None:
        group = group_of_team(self.team_id)
        try:
            while not self.is_over:  # see `record.follow` on swallowed cancellations
                try:
                    message = await layer.receive(channel)
                    self._changed(message["id"], message["seq"])
                except Exception:
                    logger.warning("The channel layer is away; pages are told late.", exc_info=True)
                    await asyncio.sleep(RETRY_S)
        finally:
            await layer.group_discard(group, channel)

    async def _look_often(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                newest = await newest_versions(self.team_id)
            except Exception:
                logger.warning("The newest versions could not be read.", exc_info=True)
            else:
                self._compare(newest)

    def _compare(self, newest: Versions) -> None:
        for public_id, seq in newest.items():
            if seq > max(self._seen.get(public_id, 0), self._told.get(public_id, 0)):
                self._changed(public_id, seq)
        self._seen = newest
        self._told = {id: seq for id, seq in self._told.items() if seq > newest.get(id, seq)}

    def _changed(self, public_id: str, seq: int) -> None:
        self._told[public_id] = max(seq, self._told.get(public_id, 0))
        self._waiting[public_id] = max(seq, self._waiting.get(public_id, 0))
        if self._flusher is None or self._flusher.done():
            self._flusher = self._begin(self._flush())

    async def _flush(self) -> None:
        clock = asyncio.get_running_loop().time
        while self._waiting:
            await asyncio.sleep(max(LEAD_S, self._free_at - clock()))
            began = clock()
            rows, self._waiting = self._waiting, {}
            await self._tell(News(rows.items(), await self._html(rows)))
            # At most half of the loop's time, however many watch.
            self._free_at = clock() + max(PAUSE_S, clock() - began)

    async def _html(self, rows: Mapping[str, int]) -> Mapping[RowVariant, str]:
        variants = {one.variant for one in self.viewers if one.variant is not None}
        if not variants or len(rows) > MOST_PUSHED:
            return {}
        html: Mapping[RowVariant, str]
        try:
            html = await database_sync_to_async(pushed_rows)(self.team_id, list(rows), variants)
        except Exception:
            logger.exception("Changed rows could not be rendered; pages fetch them.")
            html = {}
        return html

    async def _tell(self, news: News) -> None:
        for number, viewer in enumerate(list(self.viewers), 1):
            viewer.tell(news)
            if number % SLICE == 0:
                await asyncio.sleep(0)


_feeds: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, TeamFeed]] = WeakKeyDictionary()


def feed_of(team_id: int) -> TeamFeed:
    """Return the team's feed on this event loop; it starts with its first viewer."""
    feeds = _feeds.setdefault(asyncio.get_running_loop(), {})
    if team_id not in feeds:
        feeds[team_id] = TeamFeed(team_id)
    return feeds[team_id]


def _forget(feed: TeamFeed) -> None:
    feeds = _feeds.get(asyncio.get_running_loop(), {})
    if feeds.get(feed.team_id) is feed:
        del feeds[feed.team_id]
