"""The page's one socket: tells which rows changed, and relays the stream of a watched request.

Browser::

    {"type": "watch", "table": true, "made_for": team, "since": seq, "html": true}
        since: the newest version the page has; html: it takes changed rows as the table shows them
    {"type": "since", "seq": seq}                       what is newer? (a page asks now and then)
    {"type": "watch", "request": uuid, "after": n}      frames after n; "unwatch" ends it
    {"type": "watch", "rows": [uuid, …]}                the rows in sight; replaces the last ones

Server: `hello`, `since`, `changed`, `frames`, `error`. The user's rights are checked when a page
begins to watch and every few seconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from typing import Any, NamedTuple
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import Http404

from requests_app.consumers.rights import NO_TEAM, MemberConsumer
from requests_app.consumers.team_feed import News, TeamFeed, feed_of
from requests_app.models import FalRequest, Membership
from requests_app.record.follow import Portion, follow
from requests_app.record.followers import RENEW_S as MARK_S
from requests_app.record.followers import followers
from requests_app.record.frame import batch_message
from requests_app.teams.choice import (
    MadeFor,
    NotChosen,
    NoTeam,
    chosen_membership,
    in_team,
    memberships_of,
)
from requests_app.views.access import Hidden, get_request_or_404
from requests_app.views.row_html import RowVariant

NO_LOGS = 2**63 - 1  # the page fetches log lines by itself
TYPES = ("watch", "unwatch", "since")
KNOWN = frozenset(
    {"type", "table", "made_for", "since", "html", "request", "after", "rows", "seq"}
)  # the keys of these messages
MOST_WATCHED = 4  # requests watched on one socket
MOST_ROWS = 100  # of a table, polled at the quick pace
RENEW_S = MARK_S / 4  # how often a socket checks whether a mark is due for renewal


class Relayed(NamedTuple):
    """A watched request."""

    task: asyncio.Task[None]
    team_id: int


class LiveConsumer(MemberConsumer):
    """One per open page. It reads and relays; it never writes to fal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.feed: TeamFeed | None = None
        self.has_html = False
        self.variant: RowVariant | None = None  # how the page shows rows; None: it fetches them
        self.missed: dict[str, int] = {}  # news that came while the page took the last one
        self.teller: asyncio.Task[None] | None = None
        self.watched: dict[int, Relayed] = {}
        self.in_sight: list[int] = []  # live rows of the table that the page shows
        self.renewer: asyncio.Task[None] | None = None

    async def leave(self) -> None:
        """Leave the team's feed and end the relays."""
        self._see([])
        await self._leave_feed()
        await super().leave()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Answer a frame that is not JSON text with an error and keep the socket open."""
        await self.receive_json(await self.decode_json(text_data or ""))

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if not isinstance(content, dict) or content.get("type") not in TYPES:
            await self._error(400, "Send a watch message.")
        elif unknown := sorted(content.keys() - KNOWN):
            await self._error(400, f"A watch message has no {unknown[0][:100]!r}.")
        elif content["type"] == "unwatch":
            await self._unwatch(content.get("request"))
        elif content["type"] == "since":
            await self._tell_since("since", content.get("seq"))
        elif "rows" in content:
            await self._watch_rows(content["rows"])
        elif content.get("request"):
            await self._watch_request(content["request"], content.get("after", 0))
        else:
            await self._watch_table(content)

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Return the value, None when the text is not JSON."""
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            return None

    # --- the table --------------------------------------------------------------------------------

    async def _watch_table(self, wish: dict[str, Any]) -> None:
        found = await self._membership(wish.get("made_for"))
        if found is None:
            await self.close(code=NO_TEAM)
            return
        team_id, variant = found
        self.has_html = wish.get("html") is True
        self.variant = variant if self.has_html else None
        if self.feed is None or self.feed.team_id != team_id:  # the team may have changed
            await self._leave_feed()
            self.feed = feed_of(team_id)
            await self.feed.join(self)
        await self._tell_since("hello", wish.get("since"))

    async def _tell_since(self, kind: str, seq: Any) -> None:
        """Send the team's newest version, and the rows since the page's; no rows: it has to ask."""
        if self.feed is None:
            await self._error(400, "Watch the table first.")
            return
        rows = self.feed.since(seq) if _is_number(seq, below=2**63) else None
        await self.send_json({"type": kind, "seq": self.feed.newest, "rows": rows})

    async def _leave_feed(self) -> None:
        if self.feed is not None:
            feed, self.feed = self.feed, None
            await feed.leave(self)

    def tell(self, news: News) -> None:
        """Send news of the table; for a slow page they are collected meanwhile."""
        if self.teller is None or self.teller.done():
            self.teller = self.begin(self._pass_on(news.text(self.variant)))
        else:
            self.missed.update(news.rows)

    async def _pass_on(self, text: str) -> None:
        await self.send(text_data=text)
        while self.missed:
            news, self.missed = News(self.missed.items(), {}), {}
            await self.send(text_data=news.plain)

    # --- one request ------------------------------------------------------------------------------

    async def _watch_request(self, public_id: Any, after: Any) -> None:
        row = await self._row(public_id)
        if row is None:
            await self._error(404, "There is no such request.")
            return
        open_relays = {pk for pk, relay in self.watched.items() if not relay.task.done()}
        if row.pk not in open_relays and len(open_relays) >= MOST_WATCHED:
            await self._error(400, f"One socket follows {MOST_WATCHED} requests at most.")
            return
        await self.send_json({"type": "hello", "seq": row.seq})
        if row.pk not in open_relays:
            first = after if _is_number(after, below=2**31) else 0
            self.watched[row.pk] = Relayed(self.begin(self._relay(row, first)), row.team_id)
            self._keep_renewed()

    async def _unwatch(self, public_id: Any) -> None:
        """End the relay of a request; one that is not watched is no error."""
        row = await self._row(public_id)
        relay = self.watched.pop(row.pk, None) if row else None
        if relay:
            relay.task.cancel()

    async def _relay(self, row: FalRequest, after: int) -> None:
        """Send the frames after frame `after`, then new ones, until the request has ended."""
        following = follow(row.pk, after_seq=row.seq, after_frame=after, after_log=NO_LOGS)
        with followers.following([row.pk]):
            await followers.renew_if_due()
            async with aclosing(following) as batches:
                async for batch in batches:
                    await self._relay_batch(str(row.public_id), batch)

    async def _relay_batch(self, public_id: str, batch: Portion) -> None:
        if batch.frames:
            await self.send(text_data=batch_message(batch.frames, request=public_id))
        if batch.observations:
            self.tell(News([(public_id, batch.observations[-1].pk)], {}))

    # --- the quick pace ---------------------------------------------------------------------------

    async def _watch_rows(self, wanted: Any) -> None:
        """Poll fal at the quick pace for the live ones among the rows that the page shows."""
        ids = _ids(wanted)
        if ids is None:
            await self._error(400, f"rows is a list of at most {MOST_ROWS} ids.")
            return
        team_id = self.feed.team_id if self.feed and ids else None
        self._see(await self._open_rows(team_id, ids) if ids else [])
        await followers.renew_if_due()
        self._keep_renewed()

    def _see(self, pks: list[int]) -> None:
        followers.add(pks)  # add first: a row that stays in sight keeps its mark
        followers.remove(self.in_sight)
        self.in_sight = pks

    def _keep_renewed(self) -> None:
        if self.renewer is None:
            self.renewer = self.begin(self._renew_often())

    async def _renew_often(self) -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await followers.renew_if_due()

    # --- rights -----------------------------------------------------------------------------------

    def may_stay(self, mine: Sequence[Membership]) -> bool:
        """Whether the user is a member of every team whose news this socket carries, and sees the frames it relays."""
        followed = {relay.team_id for relay in list(self.watched.values())}
        if not followed <= {one.team_id for one in mine if one.sees}:
            return False
        needed = set(followed)
        if self.feed is not None:
            needed.add(self.feed.team_id)
            if self.has_html:
                self.variant = _variant(mine, self.feed.team_id)
        return needed <= {one.team_id for one in mine}

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _membership(self, made_for: Any) -> tuple[int, RowVariant | None] | None:
        """Return the page's team and how it shows rows if the user is a member; the chosen team
        when the page names none.
        """
        mine = memberships_of(self.scope["user"])
        if made_for is None:
            try:
                team_id = chosen_membership(mine, self.session_now()).team_id
            except (NoTeam, NotChosen):
                return None
        elif said := MadeFor.parse(str(made_for)):
            team_id = said.team_id
        else:
            return None
        return (team_id, _variant(mine, team_id)) if in_team(mine, team_id) else None

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _open_rows(self, team_id: int | None, ids: list[UUID]) -> list[int]:
        if team_id is None:
            try:
                mine = memberships_of(self.scope["user"])
                team_id = chosen_membership(mine, self.session_now()).team_id
            except (NoTeam, NotChosen):
                return []
        of_team = FalRequest.objects.live().filter(team_id=team_id, public_id__in=ids)
        return list(of_team.values_list("pk", flat=True))

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _row(self, public_id: Any) -> FalRequest | None:
        try:
            return get_request_or_404(self.scope["user"], UUID(str(public_id)), full=False)
        except (Http404, Hidden, ValueError):
            return None

    async def _error(self, code: int, message: str) -> None:
        await self.send_json({"type": "error", "code": code, "message": message})


def _variant(mine: Sequence[Membership], team_id: int) -> RowVariant | None:
    """Return how rows of this team look to the user."""
    membership = in_team(mine, team_id)
    if membership is None:
        return None
    query = f"?team={team_id}" if len(mine) > 1 else ""
    return RowVariant(membership.may_submit, query, membership.sees)


def _ids(wanted: Any) -> list[UUID] | None:
    """Parse a short list of ids; None for anything else."""
    if not isinstance(wanted, list) or len(wanted) > MOST_ROWS:
        return None
    try:
        return [UUID(id) for id in wanted]
    except (ValueError, TypeError, AttributeError):
        return None


def _is_number(value: Any, *, below: int) -> bool:
    """Whether it is a version or the number of a frame."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < below
