"""The read-only log-in session of a socket."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from django.conf import settings

App = Callable[..., Awaitable[Any]]


class ReadOnlySession:
    """`scope["session"]` from the handshake's cookies, which `CookieMiddleware` has parsed.

    Channels' `SessionMiddleware` checks on every sent message whether to save the session. No
    socket of ours changes it.
    """

    def __init__(self, app: App) -> None:
        self.app = app
        self._store = import_module(settings.SESSION_ENGINE).SessionStore

    async def __call__(self, scope: Any, receive: Any, send: Any) -> Any:
        key = scope["cookies"].get(settings.SESSION_COOKIE_NAME)
        return await self.app({**scope, "session": self._store(key)}, receive, send)
