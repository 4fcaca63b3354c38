"""Realtime sessions of programs: a WebSocket at /api/v1/realtime/ENDPOINT, with an API token.

fal's messages pass as they came, in both directions. Our own are text messages in the form of fal's control
messages, which fal's clients know: the first names the session (`x-fal-message`, which they skip), and a
refusal is an `x-fal-error` with a sentence, followed by a close code of 4400 to 4599.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from typing import Any
from urllib.parse import parse_qsl

from django.conf import settings
from django.db import Error
from django.utils import timezone

from dashboard.local_apps import app_of
from requests_app import audit
from requests_app.accounts.network import network_in
from requests_app.accounts.rates import TooManyCalls
from requests_app.api import rate
from requests_app.fal.headers import HEADERS
from requests_app.fal.options import BY_HEADER, BY_NAME
from requests_app.keys import key_for
from requests_app.lifecycle import Attempt
from requests_app.models import HIDDEN, ApiToken, RequestOrigin, TokenScope
from requests_app.relay.opening import TooManySessions, claim_session
from requests_app.relay.outcome import SessionOutcome
from requests_app.relay.program import Message, ProgramSocket, Receive, Send, closed, closing
from requests_app.request_input import Draft, InvalidDraft, parse_session, strict_json
from requests_app.worker.loop import pool

SOCKETS = "/api/v1/realtime/"
PROTOCOL = "faldeck"  # to be offered beside the token, where no header can be set
QUERY = frozenset({"path", "max_buffering", "auth", "options"})
INVALID, UNAUTHORIZED, FORBIDDEN, TOO_MANY, UPSTREAM, AWAY = 4400, 4401, 4403, 4429, 4502, 4503

_tasks: set[asyncio.Task[Any]] = set()  # a session ends in order even when its socket is gone


class NoSession(Exception):
    """No session begins; `code` closes the socket."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


async def api_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Hold one session, or say why there is none."""
    await receive()
    offered = scope.get("subprotocols") or []
    accept = {
        "type": "websocket.accept",
        "subprotocol": PROTOCOL if PROTOCOL in offered else None,
    }
    try:
        token, used_from = _token_in(scope), _address_of(scope)
        attempt = await pool.in_database(_begun, scope, token, used_from)
    except NoSession as refusal:
        await _refuse(send, accept, refusal.code, str(refusal))
        return

    async def may_stay() -> bool:
        try:
            return await pool.in_database(_may_stay, token, used_from)
        except Error:
            return True

    named = {"type": "x-fal-message", "action": "session", "id": str(attempt.public_id)}
    socket = ProgramSocket(receive, send, _in_background)
    end, is_open = await socket.hold(attempt, [accept, _text(named)], may_stay)
    if is_open:
        await send(closing(end))
    else:
        await _refuse(send, accept, UPSTREAM, _why(end), id=str(attempt.public_id))


def _why(end: SessionOutcome) -> str:
    return f"{end.sentence} (HTTP {end.http_code})" if end.http_code else end.sentence


async def _refuse(send: Send, accept: Message, code: int, sentence: str, **more: str) -> None:
    """A handshake that is refused by HTTP can say nothing to a browser: the socket opens to tell."""
    told = {"type": "x-fal-error", "error": "REFUSED", "reason": sentence, **more}
    for message in (accept, _text(told), closed(code, sentence)):
        await send(message)


def _text(message: Message) -> Message:
    return {"type": "websocket.send", "text": json.dumps(message)}


def _in_background(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    task = asyncio.get_running_loop().create_task(work)
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)
    return task


def _values(scope: dict[str, Any], name: str) -> list[str]:
    wanted = name.encode()
    return [value.decode("latin-1") for key, value in scope["headers"] if key == wanted]


def _token_in(scope: dict[str, Any]) -> str:
    """Return the token's text: of the header, or the subprotocol that is one. Raises NoSession."""
    for header in _values(scope, "authorization"):
        scheme, _, text = header.partition(" ")
        if scheme.lower() == "bearer":
            return text.strip()
    for protocol in scope.get("subprotocols") or []:
        if protocol.startswith(ApiToken.PREFIX):
            return str(protocol)
    raise NoSession(UNAUTHORIZED, "A valid API token is needed.")


def _address_of(scope: dict[str, Any]) -> str:
    forwarded = _values(scope, "x-forwarded-for")
    return network_in((scope.get("client") or [""])[0], forwarded[0] if forwarded else None)


def _begun(scope: dict[str, Any], text: str, used_from: str) -> Attempt:
    """Record the session. Raises NoSession."""
    try:
        token = _admitted(text, used_from)
        who = audit.Origin(token.user.get_username(), token.name, used_from)
        before = audit.acting(lambda: who)
        try:
            draft = _draft(scope, token)
            return claim_session(
                draft, team=token.team, person=token.user, origin=RequestOrigin.API
            )
        finally:
            audit.acted(before)
    except InvalidDraft as error:
        problems = [f"{name}: {one}" for name, told in error.errors.items() for one in told]
        raise NoSession(INVALID, " ".join(problems)) from None
    except TooManySessions as error:
        raise NoSession(TOO_MANY, str(error)) from None
    except Error:
        raise NoSession(AWAY, "The database does not answer; try again.") from None


def _admitted(text: str, used_from: str) -> ApiToken:
    token = ApiToken.find(text, now=timezone.now(), used_from=used_from)
    if token is None:
        raise NoSession(UNAUTHORIZED, "A valid API token is needed.")
    try:
        rate.buckets.take(token.pk, settings.API_CALLS_PER_MINUTE, now=time.monotonic())
    except TooManyCalls as error:
        raise NoSession(TOO_MANY, str(error)) from None
    if refusal := _refusal(token):
        raise NoSession(FORBIDDEN, refusal)
    return token


def _refusal(token: ApiToken) -> str:
    """Say why there is no session; what fal says in one is an output."""
    return token.refusal(TokenScope.SUBMIT) or ("" if token.sees else HIDDEN)


def _may_stay(text: str, used_from: str) -> bool:
    token = ApiToken.find(text, now=timezone.now(), used_from=used_from)
    return token is not None and not _refusal(token)


def _draft(scope: dict[str, Any], token: ApiToken) -> Draft:
    """Return the session that address and headers ask for. Raises NoSession or InvalidDraft."""
    pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    asked = dict(pairs)
    if len(asked) < len(pairs) or not asked.keys() <= QUERY:
        raise NoSession(INVALID, f"The query takes each of {', '.join(sorted(QUERY))} once.")
    endpoint = scope["path"].removeprefix(SOCKETS).strip("/")
    buffering = asked.get("max_buffering")
    # A token needs a key of fal; without one "key" sends none. An own app is shown neither.
    is_fals = app_of(endpoint) is None
    usual = "token" if is_fals and key_for(token.team_id, endpoint).secret else "key"
    return parse_session(
        endpoint_id=endpoint,
        path=asked.get("path", "/realtime"),
        max_buffering=_number(buffering) if buffering else None,
        auth=asked.get("auth", usual),
        options=_options(scope, asked.get("options", "")),
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NoSession(INVALID, "max_buffering is a whole number.")
    return int(text)


def _options(scope: dict[str, Any], text: str) -> dict[str, Any]:
    """Return the options by the API's names, and fal's own headers of the handshake among `headers`."""
    try:
        options = strict_json(text) if text else {}
    except (ValueError, RecursionError):
        raise NoSession(INVALID, "options is a JSON object, written into the query.") from None
    if not isinstance(options, dict) or not options.keys() <= {*BY_NAME, HEADERS}:
        raise NoSession(INVALID, f"options is an object with {', '.join((*BY_NAME, HEADERS))}.")
    own = options.get(HEADERS, {})
    if not isinstance(own, dict):
        raise NoSession(INVALID, "headers is an object of names and values.")
    theirs = {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name.decode("latin-1") in BY_HEADER
    }
    return {**options, HEADERS: {**theirs, **own}}
