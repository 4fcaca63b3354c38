"""MCP over streamable HTTP at /mcp: the tools of `faldeck mcp`, with the caller's token, at this site's own API.

Each POST stands alone, so that any process answers it. A tool's calls go through Django like every program's: rights,
limits and the audit trail are the API's.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import cache
from typing import Any

import httpx
from django.db import Error
from django.utils import timezone

from requests_app.accounts.network import network_in
from requests_app.client.wire import AsyncWire
from requests_app.models import ApiToken
from requests_app.worker.loop import pool

PREFIX = "/mcp"
PATHS = (PREFIX, f"{PREFIX}/")
MAX_BODY = 4 * 1024 * 1024  # bytes
CALL_S = 90.0
# What says through which proxy the caller came.
FORWARDED = (b"x-forwarded-for", b"x-forwarded-proto")

App = Callable[..., Awaitable[None]]

_wire: ContextVar[AsyncWire] = ContextVar("mcp_wire")


def mcp_application(site: App) -> App:
    """Return the application; what is not its own goes to the site."""

    async def serve(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["path"] not in PATHS:
            await site(scope, receive, send)
            return
        headers = dict(scope["headers"])
        scheme, _, text = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        refusal = await _refusal(scope, headers, text.strip() if scheme.lower() == "bearer" else "")
        if refusal:
            await _answer(send, *refusal)
            return
        wire = AsyncWire(_url(scope, headers), text.strip(), CALL_S, _inside(site, scope))
        before = _wire.set(wire)
        try:
            await _exchange(scope, receive, send)
        finally:
            _wire.reset(before)
            await wire.close()

    return serve


async def _refusal(
    scope: dict[str, Any], headers: dict[bytes, bytes], text: str
) -> tuple[int, str, dict[str, str]] | None:
    """Return code, sentence and headers, or None for a call that may be made."""
    if scope["method"] != "POST":
        return 405, "MCP is spoken by POST here: there is nothing to listen to.", {"Allow": "POST"}
    origin = headers.get(b"origin", b"").decode("latin-1")
    if origin and origin.partition("://")[2] != headers.get(b"host", b"").decode("latin-1"):
        return 403, "A page of another site may not call this.", {}
    forwarded = headers.get(b"x-forwarded-for", b"").decode("latin-1") or None
    used_from = network_in((scope.get("client") or [""])[0], forwarded)
    try:
        token = await pool.in_database(ApiToken.find, text, now=timezone.now(), used_from=used_from)
    except Error:
        return 503, "The database does not answer; try again.", {"Retry-After": "5"}
    if token is None:
        return 401, "A valid API token is needed.", {"WWW-Authenticate": "Bearer"}
    return None


async def _exchange(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Serve the POST by a manager of its own: nothing is kept between two of them."""
    server, security = await asyncio.to_thread(_server)
    server.streamable_http_app(
        json_response=True, stateless_http=True, max_request_body_size=MAX_BODY, transport_security=security
    )  # fmt: skip
    manager = server.session_manager  # the one that was just made
    async with manager.run():
        await manager.handle_request(scope, receive, send)


@cache
def _server() -> tuple[Any, Any]:
    """Return the server of this process. Its library takes a while to load, so it comes with the first call.

    Its own check of host names knows localhost alone; the site has ALLOWED_HOSTS.
    """
    security = importlib.import_module("mcp.server.transport_security").TransportSecuritySettings
    tools = importlib.import_module("requests_app.client.mcp_tools")
    return tools.tools_server(_wire.get), security(enable_dns_rebinding_protection=False)


def _url(scope: dict[str, Any], headers: dict[bytes, bytes]) -> str:
    """Return the site as the caller reaches it: Django checks the name as for every call."""
    host = headers.get(b"host", b"localhost").decode("latin-1")
    return f"{scope.get('scheme', 'http')}://{host}"


def _inside(site: App, scope: dict[str, Any]) -> httpx.ASGITransport:
    """Return the way to this site's API without a network, as from the caller's address."""
    forwarded = [(name, value) for name, value in scope["headers"] if name in FORWARDED]

    async def called(inner: Any, receive: Any, send: Any) -> None:
        await site({**inner, "headers": [*inner["headers"], *forwarded]}, receive, send)

    return httpx.ASGITransport(app=called, client=tuple(scope.get("client") or ("", 0)))


async def _answer(send: Any, code: int, sentence: str, more: dict[str, str]) -> None:
    body = json.dumps({"detail": sentence}).encode()
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), **more}
    raw = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": code, "headers": raw})
    await send({"type": "http.response.body", "body": body})
