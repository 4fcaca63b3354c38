"""Realtime sessions of programs: a WebSocket under /gateway/run/, passed on to fal message by message.

The session itself is the relay's, as for a tab: recorded, its lease renewed, cancelled from its page. Its row
is stored before fal is called, so while the database is away no session begins.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth.models import User
from django.db import Error

from requests_app.accounts.network import network_in
from requests_app.gateway.addresses import NoAddress, address_of
from requests_app.gateway.application import PREFIX, station
from requests_app.gateway.callers import Caller, KeysUnknown
from requests_app.gateway.exchange import Receive, Send
from requests_app.gateway.headers import first, options_in
from requests_app.lifecycle import Attempt
from requests_app.models import RequestOrigin, Team
from requests_app.relay.opening import TooManySessions, claim_session
from requests_app.relay.program import ProgramSocket, closing
from requests_app.request_input import Draft, InvalidDraft, parse_session
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.loop import pool

SOCKETS = f"{PREFIX}run/"


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
    here = station()
    socket = ProgramSocket(receive, send, here.in_background)

    async def may_stay() -> bool:
        try:
            return await _caller(scope, key) is not None
        except KeysUnknown:
            return True

    end, _ = await socket.hold(attempt, [{"type": "websocket.accept"}], may_stay)
    await send(closing(end))


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
    return claim_session(draft, team=team, person=user, origin=RequestOrigin.GATEWAY)
