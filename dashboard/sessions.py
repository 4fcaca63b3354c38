"""The log-in session of a socket, to be read."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from django.conf import settings

App = Callable[..., Awaitable[Any]]


class ReadOnlySession:
    """`scope["session"]` from the handshake's cookies, which `CookieMiddleware` has parsed.

    Channels' `SessionMiddleware` asks at every message that is sent whether the session is to be
    saved. No socket of ours changes it.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._store = import_module(settings.SESSION_ENGINE).SessionStore

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        """Pass the handshake on."""
        key = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        return await self.app({**scope, "session": self._store(key)}, receive, send)
