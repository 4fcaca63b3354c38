"""The socket that owns a realtime session: parses the tab's messages and sends the session's.

Browser: `connect` (with `made_for`, the page's team), `send`, `ack`, `disconnect` as JSON; binary
frames go to fal unchanged. Server: `session`, `open`, `sent`, `frames`, `gap`, `missed`, `capped`,
`error`, `ended`. A `connect` takes the platform options and `headers` of the API; with `"raw":
true` fal's binary messages come unchanged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, get_args

from channels.db import database_sync_to_async
from django.urls import reverse

from requests_app.consumers.rights import NO_TEAM, MemberConsumer
from requests_app.fal import InvalidMessage, Outgoing
from requests_app.fal.headers import HEADERS
from requests_app.fal.jsontext import parse_members
from requests_app.fal.options import BY_NAME
from requests_app.fal.realtime_outgoing import MAX_BYTES, Form
from requests_app.models import Membership, Team
from requests_app.relay import NotOpen, Outbox, RealtimeSession
from requests_app.relay.opening import TooManySessions, claim_session
from requests_app.relay.outcome import rejected
from requests_app.request_input import InvalidDraft, parse_session, strict_json
from requests_app.teams.choice import (
    MadeFor,
    Mismatch,
    membership_for_write,
    memberships_of,
    news_of,
    sentence,
)
from requests_app.worker.loop import pool

LEAVE_S = 2.0  # how long a closed tab's session may take to hang up before its consumer ends
FORMS = get_args(Form)
OPTIONS = (*BY_NAME, HEADERS)
# The keys of a message, by its type; "ref" comes back with an error.
KNOWN: dict[str, frozenset[str]] = {
    "connect": frozenset(
        {"type", "ref", "endpoint", "path", "max_buffering", "auth", "raw", "made_for", *OPTIONS}
    ),
    "send": frozenset({"type", "ref", "as", "value"}),
    "ack": frozenset({"type", "ref", "number"}),
    "disconnect": frozenset({"type", "ref"}),
}

_sessions: set[asyncio.Task[Any]] = set()  # a session ends in order even when its socket is gone


class BadMessage(ValueError):
    """The tab's message is invalid; `str()` says why."""


class OtherTeam(Exception):
    """The page was made for another team than the chosen one; `news` is for the page."""

    def __init__(self, news: dict[str, str]) -> None:
        super().__init__(sentence(news))
        self.news = news


class RealtimeConsumer(MemberConsumer):
    """One per session. Closing the tab ends the session; others watch it on the live socket."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.is_welcome = False
        self.team: Team | None = None  # of the session
        self.session: RealtimeSession | None = None
        self.running: asyncio.Task[Any] | None = None

    async def connect(self) -> None:
        """Turn away viewers and users without a team."""
        await super().connect()
        if not self.is_admitted:
            return
        self.is_welcome = await database_sync_to_async(self._may_submit)()
        if not self.is_welcome:
            await self.close(code=NO_TEAM)

    def _membership(self, made_for: str) -> Membership:
        """Return the membership in the team the page was made for. Raises OtherTeam."""
        mine, session = memberships_of(self.scope["user"]), self.session_now()
        try:
            return membership_for_write(mine, session, MadeFor.parse(made_for))
        except Mismatch as mismatch:
            raise OtherTeam(news_of(mine, session, mismatch.membership)) from None

    def _may_submit(self) -> bool:
        return self.may_stay(memberships_of(self.scope["user"]))

    def may_stay(self, mine: Sequence[Membership]) -> bool:
        """Whether the user may still submit in the session's team and see what comes, or in any before
        there is a session.
        """
        theirs = {one.team_id for one in mine if one.may_submit and one.sees}
        return bool(theirs) if self.team is None else self.team.pk in theirs

    async def leave(self) -> None:
        """End the session when the tab is gone."""
        if self.session and self.running:
            self.session.disconnect("The page that held the session was closed.")
            await asyncio.wait({self.running}, timeout=LEAVE_S)
        await super().leave()

    async def receive(
        self, text_data: str | None = None, bytes_data: bytes | None = None, **kwargs: Any
    ) -> None:
        """Handle one message of the tab; a bad one gets an error, and the session goes on."""
        if not self.is_welcome:
            return  # the close code is on its way
        ref = None
        try:
            if text_data is None:
                await self._send(Outgoing(bytes_data or b"", "msgpack", len(bytes_data or b"")))
                return
            content = _parsed(text_data)
            ref = _ref(content)
            await self._obey(content, text_data, ref)
        except NotOpen:
            await self._error("No session is open. Connect first.", ref)
        except (BadMessage, InvalidMessage) as error:
            await self._error(str(error), ref)

    async def _obey(self, content: dict[str, Any], text: str, ref: int | None) -> None:
        _refuse_unknown(content)
        match content.get("type"):
            case "connect":
                await self._connect(content)
            case "send":
                await self._send(_outgoing(content, text), ref)
            case "ack":
                self._acknowledge(content.get("number"))
            case "disconnect":
                self._disconnect()
            case _:
                raise BadMessage(f"Send one of {', '.join(KNOWN)}.")

    async def _connect(self, content: dict[str, Any]) -> None:
        if self.session is not None:
            raise BadMessage("This socket has its session. Open another socket for another one.")
        is_raw = content.get("raw", False)
        if not isinstance(is_raw, bool):
            raise BadMessage("raw is either true or false.")
        try:
            draft = parse_session(
                endpoint_id=_text(content, "endpoint"),
                path=_text(content, "path", "/realtime"),
                max_buffering=content.get("max_buffering"),
                auth=_text(content, "auth", "token"),
                options={name: content[name] for name in OPTIONS if name in content},
            )
            membership = await database_sync_to_async(self._membership)(_text(content, "made_for"))
            if not (membership.may_submit and membership.sees):
                await self.close(code=NO_TEAM)
                return
            self.team = membership.team
            attempt = await pool.in_database(
                claim_session, draft, team=self.team, person=self.scope["user"]
            )
        except (InvalidDraft, TooManySessions) as error:
            await self.send_json(rejected(str(error)).message())
            return
        except OtherTeam as other:
            await self.send_json(rejected(str(other)).message() | {"team": other.news})
            return
        outbox = Outbox(self._pass_on, is_raw=is_raw)
        url = reverse("requests:detail", args=[attempt.public_id])
        outbox.put({"type": "session", "id": str(attempt.public_id), "url": url})
        self.session = RealtimeSession(attempt, outbox)
        self.running = asyncio.create_task(self.session.run())
        _sessions.add(self.running)
        self.running.add_done_callback(_sessions.discard)
        self.begin(self._tell(outbox))

    async def _tell(self, outbox: Outbox) -> None:
        await outbox.run()
        await self.close(code=1000)

    async def _pass_on(self, message: str | bytes) -> None:
        is_text = isinstance(message, str)
        await self.base_send({"type": "websocket.send", "text" if is_text else "bytes": message})

    async def _send(self, message: Outgoing, ref: int | None = None) -> None:
        if self.session is None:
            raise NotOpen
        if message.size > MAX_BYTES:
            raise BadMessage(
                f"The message has {message.size} bytes; fal takes {MAX_BYTES} at most."
            )
        await self.session.send(message, ref)

    def _acknowledge(self, number: Any) -> None:
        if not isinstance(number, int) or number < 0:
            raise BadMessage("An ack says the number of a frame.")
        if self.session is not None:
            self.session.outbox.acknowledged(number)

    def _disconnect(self) -> None:
        if self.session is None:
            raise NotOpen
        self.session.disconnect(f"Disconnected by {self.scope['user'].get_username()}.")

    async def _error(self, message: str, ref: int | None) -> None:
        await self.send_json({"type": "error", "message": message, "ref": ref})


def _parsed(text: str) -> dict[str, Any]:
    """Parse by the rules of a typed input: no NaN, no number beyond a double, no duplicate key."""
    try:
        content = strict_json(text)
    except (ValueError, RecursionError) as error:
        said = str(error).replace("The input", "it")
        raise BadMessage(f"The message is not JSON that can be used: {said}"[:300]) from None
    if not isinstance(content, dict):
        raise BadMessage("A message is a JSON object with a type.")
    return content


def _refuse_unknown(content: dict[str, Any]) -> None:
    """Reject unknown keys: a misspelt one would be ignored silently."""
    kind = content.get("type")
    known = KNOWN.get(kind) if isinstance(kind, str) else None
    if known is not None and not content.keys() <= known:
        names = ", ".join(repr(name[:100]) for name in sorted(content.keys() - known)[:5])
        raise BadMessage(f"A {kind} message has no {names}; it may say {', '.join(sorted(known))}.")


def _outgoing(content: dict[str, Any], text: str) -> Outgoing:
    form = content.get("as", "msgpack")
    if form not in FORMS:
        raise BadMessage(f"A message is sent as one of {', '.join(FORMS)}.")
    if "value" not in content:
        raise BadMessage("There is no value to send.")
    typed = parse_members(text.encode())["value"].raw.decode() if form == "json" else None
    return Outgoing.encode(content["value"], form, typed=typed)


def _ref(content: dict[str, Any]) -> int | None:
    ref = content.get("ref")
    return ref if isinstance(ref, int) and not isinstance(ref, bool) else None


def _text(content: dict[str, Any], name: str, default: str = "") -> str:
    value = content.get(name, default)
    if not isinstance(value, str):
        raise BadMessage(f"The {name} is a text.")
    return value
