"""The short-lived token that opens one realtime session; it stays on the server.

UNCONFIRMED: users contradict each other about which of the two forms fal's socket accepts.
``TOKEN_FORM`` is the one place that decides; both published clients use the old form.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from .call import Call
from .endpoints import EndpointId, Hosts
from .jsontext import NotJson, parse_json
from .realtime_url import REALTIME, realtime_app
from .replies import Reply, read_stream_refusal, unreadable

if TYPE_CHECKING:
    from .client import FalClient

TokenForm = Literal["old", "new"]
TOKEN_FORM: TokenForm = "old"  # noqa: S105 (no secret)
MAX_DURATION_S = 3600

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{1,8192}", re.ASCII)


@dataclass(frozen=True)
class Token:
    """``value`` is left out of the repr; ``expires_at`` is in seconds of the event loop's clock.

    An open session is not ended when its token expires (UNCONFIRMED); only the handshake needs it.
    """

    value: str = field(repr=False)
    expires_at: float


@dataclass(frozen=True)
class _Request:
    url: str
    body: Mapping[str, Any]


async def fetch_token(
    client: FalClient,
    endpoint: EndpointId,
    *,
    path: str = REALTIME,
    duration_s: int = 120,
    form: TokenForm = TOKEN_FORM,
) -> Token:
    """Fetch a token of ``duration_s`` (1 to 3600) that opens this endpoint only, without retries.

    Raises NotSent, Unanswered or Refused; ValueError on an invalid duration or path.
    """
    if not 1 <= duration_s <= MAX_DURATION_S:
        raise ValueError(f"A token lives for 1 to {MAX_DURATION_S} seconds.")
    wire = client.wire
    request = _FORMS[form](client.hosts, endpoint, path, duration_s)
    call = Call(
        "POST", request.url, {}, json.dumps(request.body).encode(), idle_s=wire.timeouts.read_s
    )
    # Counted from before the call: the token must never be believed to live longer than it does.
    asked_at = asyncio.get_running_loop().time()
    reply = await wire.exchange(call, deadline_s=wire.timeouts.status_s, limit=wire.limits.reply)
    return Token(read_token(reply), asked_at + duration_s)


def _old_form(hosts: Hosts, endpoint: EndpointId, path: str, duration_s: int) -> _Request:
    body = {"allowed_apps": [endpoint.alias], "token_expiration": duration_s}
    return _Request(f"{hosts.rest}/tokens/", body)


def _new_form(hosts: Hosts, endpoint: EndpointId, path: str, duration_s: int) -> _Request:
    body = {"allowed_apps": [realtime_app(endpoint, path)], "duration": duration_s}
    return _Request(f"{hosts.rest}/tokens/realtime", body)


_FORMS: Mapping[TokenForm, Callable[[Hosts, EndpointId, str, int], _Request]] = {
    "old": _old_form,
    "new": _new_form,
}


def read_token(reply: Reply) -> str:
    """Parse a token: a JSON string, ``{"token": …}`` or ``{"detail": …}`` (old proxies).

    Raises Refused or Unanswered, neither of which contains the reply's text.
    """
    if not reply.is_success:
        raise read_stream_refusal(reply, retryable=True)
    token = _token_in(reply.body)
    if not isinstance(token, str) or not _TOKEN.fullmatch(token):
        # Without its body: a token that we cannot use is still a secret.
        bare = Reply(reply.status_code, reply.headers, b"")
        raise unreadable(bare, retryable=True, missing="a usable token")
    return token


def _token_in(body: bytes) -> object:
    try:
        value = parse_json(body)
    except NotJson:
        return None
    return value.get("token", value.get("detail")) if isinstance(value, dict) else value
