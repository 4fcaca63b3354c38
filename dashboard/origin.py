"""Prevent cross-site WebSocket hijacking: a handshake needs the Origin of this very site."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from channels.security.websocket import WebsocketDenier
from django.conf import settings
from django.http.request import split_domain_port, validate_host

App = Callable[..., Awaitable[Any]]


class SameOrigin:
    """Refuse (403) a handshake whose only Origin is not the host it was sent to.

    `AllowedHostsOriginValidator` would let any allowed host's page open a socket on any other, on
    any port; here scheme, host and port of the Origin must be those of the handshake.
    """

    def __init__(self, app: App) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Pass a valid handshake on."""
        if is_same_origin(scope):
            return await self.app(scope, receive, send)
        return await WebsocketDenier()(scope, receive, send)


def is_same_origin(scope: dict[str, Any]) -> bool:
    """Whether exactly one Origin was sent and it names this site."""
    origins = _values(scope, b"origin")
    hosts = _values(scope, b"host")
    if len(origins) != 1 or len(hosts) != 1:
        return False
    origin, host = origins[0], hosts[0]
    if not validate_host(split_domain_port(host)[0], settings.ALLOWED_HOSTS):
        return False
    if origin in settings.CSRF_TRUSTED_ORIGINS:
        return True  # PUBLIC_URL: TLS ends at the proxy, so the handshake looks like plain HTTP
    # Daphne tells no scheme of sockets.
    scheme = "https" if settings.LOCAL_TLS or scope.get("scheme") == "wss" else "http"
    # Exact comparison: browsers send this one spelling, and parsing would accept others.
    return origin == f"{scheme}://{host}"


def _values(scope: dict[str, Any], name: bytes) -> list[str]:
    return [value.decode("latin1") for key, value in scope["headers"] if key.lower() == name]
