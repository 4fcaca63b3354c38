"""Realtime sessions of programs: a WebSocket under /gateway/run/, passed on to fal message by message.

The session itself is the relay's, as for a tab: recorded, its lease renewed, cancelled from its page. Its row
is stored before fal is called, so while the database is away no session begins.
"""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth.models import User
from django.db import Error

from requests_app.accounts.network import network_in
from requests_app.fal import Outgoing
from requests_app.gateway.addresses import NoAddress, address_of
from requests_app.gateway.application import PREFIX, station
from requests_app.gateway.callers import Caller, KeysUnknown
from requests_app.gateway.exchange import Receive, Send
from requests_app.gateway.headers import first, options_in
from requests_app.lifecycle import Attempt
from requests_app.models import Direction, Team
from requests_app.record.frame import NewFrame
from requests_app.relay import NotOpen, Outbox, RealtimeSession, SessionOutcome
from requests_app.relay.opening import TooManySessions, claim_session
from requests_app.request_input import Draft, InvalidDraft, parse_session
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.loop import pool

SOCKETS = f"{PREFIX}run/"
CHECKED_EVERY_S = 4.0  # a revoked key ends its sessions
UNTOLD = 1011  # where fal gave no code that a server may send
_NO_CODES = frozenset({1004, 1005, 1006, 1015})


class _Words(bytes):
    """A text message, in the queue of binary ones."""


class ProgramOutbox(Outbox):
    """What fal says, as it came, and nothing else: the caller is one of fal's own clients."""

    def __init__(self, send: Send) -> None:
        super().__init__(self._passed, is_raw=True)
        self._to_program = send
        self.is_open = False

    def put(self, message: dict[str, Any]) -> None:
        """Take the handshake when fal has; the other messages are for tabs."""
        if message["type"] == "open":
            super().put(message)

    def frame(self, frame: NewFrame) -> None:
        """Queue a text message of fal's; binary ones have their own way."""
        if frame.direction == Direction.IN:
            self.raw(_Words(frame.data.encode()))

    async def _passed(self, data: str | bytes) -> None:
        if isinstance(data, str):
            self.is_open = True
            await self._to_program({"type": "websocket.accept"})
        elif isinstance(data, _Words):
            await self._to_program({"type": "websocket.send", "text": data.decode()})
        else:
            await self._to_program({"type": "websocket.send", "bytes": data})


async def gateway_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Hold one session, or refuse the handshake."""
    await receive()
    key = first(scope["headers"], b"authorization")
    try:
        draft, caller = _draft(scope), await _caller(scope, key)
        attempt = await pool.in_database(_claimed, draft, caller) if caller else None
    except (NoAddress, InvalidDraft, TooManySessions, KeysUnknown, Error):
        attempt = None
    if attempt is None:
        await send({"type": "websocket.close"})
        return
    outbox = ProgramOutbox(send)
    session = RealtimeSession(attempt, outbox)
    here = station()
    running, sending = here.in_background(session.run()), here.in_background(outbox.run())
    reading = asyncio.create_task(_read(receive, session))
    checking = asyncio.create_task(_check(scope, key, session))
    try:
        end = await asyncio.shield(running)
        await asyncio.shield(sending)
        await send(_close(end))
    finally:
        reading.cancel()
        checking.cancel()


def _draft(scope: dict[str, Any]) -> Draft:
    """Return the session that the path asks for. Raises NoAddress or InvalidDraft."""
    query = scope["query_string"].decode("latin-1")
    path = scope["path"].removeprefix(SOCKETS)
    address_of(hosts_from_settings(), "run", path, query, "GET")
    endpoint, _, last = path.strip("/").rpartition("/")
    asked = dict(parse_qsl(query))
    buffering = asked.get("max_buffering", "")
    return parse_session(
        endpoint_id=endpoint,
        path=f"/{last}",
        max_buffering=int(buffering) if buffering.isascii() and buffering.isdecimal() else None,
        auth="key",
        options=options_in(scope["headers"], {}),
    )


async def _caller(scope: dict[str, Any], key: str) -> Caller | None:
    """Return who calls, None who may not. Raises KeysUnknown."""
    remote = (scope.get("client") or [""])[0]
    used_from = network_in(remote, first(scope["headers"], b"x-forwarded-for") or None)
    caller = await station().callers.find(key, used_from=used_from)
    return None if caller is None or caller.refusal else caller


def _claimed(draft: Draft, caller: Caller) -> Attempt:
    team, user = Team.objects.get(pk=caller.team_id), User.objects.get(pk=caller.user_id)
    return claim_session(draft, team=team, person=user)


async def _read(receive: Receive, session: RealtimeSession) -> None:
    """Pass the program's messages on; a session ends with its program."""
    while (event := await receive())["type"] == "websocket.receive":
        data, text = event.get("bytes"), event.get("text") or ""
        if data is None:
            message = Outgoing(text, "json", len(text.encode()))
        else:
            message = Outgoing(data, "msgpack", len(data))
        try:
            await session.send(message)
        except NotOpen:
            break
    session.disconnect("The program closed the session.")


async def _check(scope: dict[str, Any], key: str, session: RealtimeSession) -> None:
    while True:
        await asyncio.sleep(CHECKED_EVERY_S)
        try:
            if await _caller(scope, key) is None:
                session.disconnect("The key of the program is no longer valid.")
        except KeysUnknown:
            continue


def _close(end: SessionOutcome) -> dict[str, Any]:
    """Return fal's own end of the session; before it stood this refuses the handshake."""
    code = UNTOLD if end.code is None or end.code in _NO_CODES else end.code
    return {"type": "websocket.close", "code": code, "reason": end.reason[:120]}
