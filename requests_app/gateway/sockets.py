"""Realtime sessions of programs: a WebSocket under /gateway/run/, passed on message by message.

Under /gateway/t/TOKEN/run/ the program's own credential opens it at fal: its key in the header, or the token that
fal made for that key in the query. For an own app (`LOCAL_APPS`) it is held there, without a key.

The session itself is the relay's, as for a tab: recorded, its lease renewed, cancelled from its page. Its row
is stored before fal is called, so while the database is away no session begins.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from django.contrib.auth.models import User
from django.db import Error

from dashboard.local_apps import app_of
from requests_app.accounts.network import network_in
from requests_app.gateway.addresses import NoAddress, address_of
from requests_app.gateway.application import PREFIX, station
from requests_app.gateway.callers import Caller, KeysUnknown
from requests_app.gateway.entrance import MOST, Entrance, NoOwnKey
from requests_app.gateway.exchange import Receive, Send
from requests_app.gateway.headers import first, options_in
from requests_app.keys import ProgramKey
from requests_app.lifecycle import Attempt
from requests_app.models import ApiToken, RequestOrigin, Team
from requests_app.relay.opening import TooManySessions, claim_session
from requests_app.relay.program import ProgramSocket, closing
from requests_app.relay.upstream import OwnCredential
from requests_app.request_input import Draft, InvalidDraft, parse_session
from requests_app.worker.fal_connections import hosts_from_settings
from requests_app.worker.loop import pool

SOCKETS = PREFIX
TOKEN = "fal_jwt_token"  # noqa: S105 (the name of the parameter that holds one)

Own = tuple[OwnCredential, ProgramKey]  # what goes on, and what of it is stored


async def gateway_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Hold one session, or refuse the handshake."""
    await receive()
    entrance = Entrance.of(scope["path"])
    key = entrance.authorization(scope["headers"])
    try:
        draft = _draft(entrance, scope)
        own = None if app_of(draft.endpoint_id) else _own(entrance, scope)
        caller = await _caller(scope, key)
        attempt = await pool.in_database(_claimed, draft, caller, own) if caller else None
    except (NoAddress, NoOwnKey, InvalidDraft, TooManySessions, KeysUnknown, Error):
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

    accept = [{"type": "websocket.accept"}]
    end, _ = await socket.hold(attempt, accept, may_stay, own[0] if own else None)
    await send(closing(end))


def _draft(entrance: Entrance, scope: dict[str, Any]) -> Draft:
    """Return the session that the path asks for. Raises NoAddress or InvalidDraft."""
    service, _, path = entrance.rest.partition("/")
    if service != "run":
        raise NoAddress("Sessions are held below run/.")
    query = scope["query_string"].decode("latin-1")
    address_of(hosts_from_settings(), service, path, query, "GET")
    endpoint, _, last = path.strip("/").rpartition("/")
    asked = dict(parse_qsl(query))
    buffering = asked.get("max_buffering", "")
    return parse_session(
        endpoint_id=endpoint,
        path=f"/{last}",
        max_buffering=int(buffering) if buffering.isascii() and buffering.isdecimal() else None,
        auth="token" if entrance.token and TOKEN in asked else "key",
        options=options_in(scope["headers"], {}),
    )


def _own(entrance: Entrance, scope: dict[str, Any]) -> Own | None:
    """Return the one credential to show fal; None where a key of this server's is taken. Raises NoOwnKey."""
    if not entrance.token:
        return None
    tokens = [
        text for name, text in parse_qsl(scope["query_string"].decode("latin-1")) if name == TOKEN
    ]
    if not tokens:
        key = entrance.own_key(scope["headers"])
        return (OwnCredential(header=key.header), key.known) if key else None
    token = tokens[0]
    if first(scope["headers"], b"authorization") or len(tokens) > 1:
        raise NoOwnKey("Show fal either your key or one token.")
    if ApiToken.PREFIX in token or len(token) > MOST * 16:
        raise NoOwnKey("This address passes on a token that fal made for your own key.")
    return OwnCredential(token=token), ProgramKey("", "")


async def _caller(scope: dict[str, Any], key: str) -> Caller | None:
    """Return who calls, None who may not. Raises KeysUnknown."""
    remote = (scope.get("client") or [""])[0]
    used_from = network_in(remote, first(scope["headers"], b"x-forwarded-for") or None)
    caller = await station().callers.find(key, used_from=used_from)
    return None if caller is None or caller.refusal else caller


def _claimed(draft: Draft, caller: Caller, own: Own | None) -> Attempt:
    team, user = Team.objects.get(pk=caller.team_id), User.objects.get(pk=caller.user_id)
    return claim_session(
        draft, team=team, person=user, origin=RequestOrigin.GATEWAY, own_key=own[1] if own else None
    )
