"""The page's one socket: tells which rows changed, and relays the stream of a watched request.

Browser: `{"type": "watch", "table": true, "made_for": team}`, `{"type": "watch", "request": uuid,
"after": n}`, or `{"type": "watch", "rows": [uuid, …]}`: the rows of the table in sight (replaces
the last ones); `{"type": "unwatch", "request": uuid}` ends the second. Server: `hello`, `changed`, `frames`, `error`. The page fetches the rows themselves
over HTTP, where the permissions are checked.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import Any
from uuid import UUID

from channels.db import database_sync_to_async
from django.http import Http404

from requests_app.announce import RequestChanged, group_of_team
from requests_app.consumers.newest import Versions, newest_versions
from requests_app.consumers.rights import NO_TEAM, MemberConsumer
from requests_app.models import FalRequest
from requests_app.record.follow import Portion, follow
from requests_app.record.followers import RENEW_S as MARK_S
from requests_app.record.followers import followers
from requests_app.record.frame import batch_message
from requests_app.teams.choice import MadeFor, NotChosen, NoTeam, chosen_membership, memberships_of
from requests_app.views.access import get_request_or_404

COLLECT_S = 0.1  # debounce: a burst of changes becomes one message
LOOK_S = 4.0  # poll for lost messages as often as a page without a socket does
NO_LOGS = 2**63 - 1  # the page fetches log lines by itself
KNOWN = frozenset(
    {"type", "table", "made_for", "request", "after", "rows"}
)  # the keys of a watch message
MOST_WATCHED = 4  # requests watched on one socket
MOST_ROWS = 100  # of a table, polled at the quick pace
RENEW_S = MARK_S / 4  # how often a socket checks whether a mark is due for renewal


class LiveConsumer(MemberConsumer):
    """One per open page. It reads and relays; it never writes to fal."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.changes: dict[str, int] = {}
        self.seen: Versions = {}  # the newest versions at the last poll, shared with other sockets
        self.told: dict[str, int] = {}  # versions sent since then
        self.looker: asyncio.Task[None] | None = None
        self.flusher: asyncio.Task[None] | None = None
        self.team_id: int | None = None
        self.watched: dict[int, asyncio.Task[None]] = {}
        self.in_sight: list[int] = []  # live rows of the table that the page shows
        self.renewer: asyncio.Task[None] | None = None

    async def leave(self) -> None:
        """Leave the team's group and end the relays."""
        self._see([])
        await self._leave_team()
        await super().leave()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Answer a frame that is not JSON text with an error and keep the socket open."""
        await self.receive_json(await self.decode_json(text_data or ""))

    async def receive_json(self, content: Any, **kwargs: Any) -> None:
        if not isinstance(content, dict) or content.get("type") not in ("watch", "unwatch"):
            await self._error(400, "Send a watch message.")
        elif unknown := sorted(content.keys() - KNOWN):
            await self._error(400, f"A watch message has no {unknown[0][:100]!r}.")
        elif content["type"] == "unwatch":
            await self._unwatch(content.get("request"))
        elif "rows" in content:
            await self._watch_rows(content["rows"])
        elif content.get("request"):
            await self._watch_request(content["request"], content.get("after", 0))
        else:
            await self._watch_table(content.get("made_for"))

    @classmethod
    async def decode_json(cls, text_data: str) -> Any:
        """Return the value, None when the text is not JSON."""
        try:
            return await super().decode_json(text_data)
        except (ValueError, RecursionError):
            return None

    # --- the table --------------------------------------------------------------------------------

    async def _watch_table(self, made_for: Any) -> None:
        team_id = await self._team(made_for)
        if team_id is None:
            await self.close(code=NO_TEAM)
            return
        await self._leave_team()  # the team may have changed
        self.team_id = team_id
        await self.channel_layer.group_add(group_of_team(team_id), self.channel_name)
        self.seen, self.told = await newest_versions(team_id, max_age_s=0), {}
        await self.send_json({"type": "hello", "seq": max(self.seen.values(), default=0)})
        if self.looker is None:
            self.looker = self.begin(self._look_often())

    async def _look_often(self) -> None:
        """Poll the database every 4 s for changes the channel layer may have dropped."""
        while True:
            await asyncio.sleep(LOOK_S)
            newest: Versions = await newest_versions(self.team_id)
            if newest is not self.seen:
                self._compare(newest)

    def _compare(self, newest: Versions) -> None:
        for public_id, seq in newest.items():
            if seq > max(self.seen.get(public_id, 0), self.told.get(public_id, 0)):
                self._changed(public_id, seq)
        self.seen = newest
        self.told = {id: seq for id, seq in self.told.items() if seq > newest.get(id, seq)}

    async def _leave_team(self) -> None:
        if self.team_id is not None:
            await self.channel_layer.group_discard(group_of_team(self.team_id), self.channel_name)

    async def request_changed(self, message: RequestChanged) -> None:
        self._changed(message["id"], message["seq"])

    def _changed(self, public_id: str, seq: int) -> None:
        self.told[public_id] = max(seq, self.told.get(public_id, 0))
        self.changes[public_id] = max(seq, self.changes.get(public_id, 0))
        if self.flusher is None or self.flusher.done():
            self.flusher = self.begin(self._flush())

    async def _flush(self) -> None:
        while self.changes:  # again for what came while a slow reader took the last message
            await asyncio.sleep(COLLECT_S)
            rows, self.changes = list(self.changes.items()), {}
            await self.send_json({"type": "changed", "rows": rows})

    # --- one request ------------------------------------------------------------------------------

    async def _watch_request(self, public_id: Any, after: Any) -> None:
        row = await self._row(public_id)
        if row is None:
            await self._error(404, "There is no such request.")
            return
        open_relays = {pk for pk, relay in self.watched.items() if not relay.done()}
        if row.pk not in open_relays and len(open_relays) >= MOST_WATCHED:
            await self._error(400, f"One socket follows {MOST_WATCHED} requests at most.")
            return
        await self.send_json({"type": "hello", "seq": row.seq})
        if row.pk not in open_relays:
            self.watched[row.pk] = self.begin(self._relay(row, _frame_number(after)))
            self._keep_renewed()

    async def _unwatch(self, public_id: Any) -> None:
        """End the relay of a request; one that is not watched is no error."""
        row = await self._row(public_id)
        relay = self.watched.pop(row.pk, None) if row else None
        if relay:
            relay.cancel()

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
            self._changed(public_id, batch.observations[-1].pk)

    # --- the quick pace ---------------------------------------------------------------------------

    async def _watch_rows(self, wanted: Any) -> None:
        """Poll fal at the quick pace for the live ones among the rows that the page shows."""
        ids = _ids(wanted)
        if ids is None:
            await self._error(400, f"rows is a list of at most {MOST_ROWS} ids.")
            return
        team_id = self.team_id if self.team_id is not None else await self._team(None)
        self._see(await self._open_rows(team_id, ids) if ids and team_id is not None else [])
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

    def may_stay(self) -> bool:
        """Whether the user is a member of every team whose news this socket carries."""
        theirs = FalRequest.objects.filter(pk__in=list(self.watched)).values_list(
            "team_id", flat=True
        )
        needed = {*theirs, *([self.team_id] if self.team_id is not None else [])}
        return needed <= self.teams()

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _team(self, made_for: Any) -> int | None:
        """Return the page's team if the user is a member; the chosen team when the page names none."""
        user = self.scope["user"]
        if made_for is None:
            try:
                return chosen_membership(memberships_of(user), self.session_now()).team_id
            except (NoTeam, NotChosen):
                return None
        said = MadeFor.parse(str(made_for))
        return said.team_id if said and said.team_id in self.teams() else None

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _open_rows(self, team_id: int, ids: list[UUID]) -> list[int]:
        mine = FalRequest.objects.live().filter(team_id=team_id, public_id__in=ids)
        return list(mine.values_list("pk", flat=True))

    @database_sync_to_async  # type: ignore[untyped-decorator]
    def _row(self, public_id: Any) -> FalRequest | None:
        try:
            return get_request_or_404(self.scope["user"], UUID(str(public_id)), full=False)
        except (Http404, ValueError):
            return None

    async def _error(self, code: int, message: str) -> None:
        await self.send_json({"type": "error", "code": code, "message": message})


def _ids(wanted: Any) -> list[UUID] | None:
    """Parse a short list of ids; None for anything else."""
    if not isinstance(wanted, list) or len(wanted) > MOST_ROWS:
        return None
    try:
        return [UUID(id) for id in wanted]
    except (ValueError, TypeError, AttributeError):
        return None


def _frame_number(after: Any) -> int:
    """Return the last frame the page has; 0 for anything that is not a frame number."""
    return after if isinstance(after, int) and 0 <= after < 2**31 else 0
