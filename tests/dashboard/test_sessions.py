"""A socket's log-in: read from the cookie, and nothing between the application and the wire."""

from __future__ import annotations

from typing import Any

import pytest
from channels.sessions import CookieMiddleware
from django.conf import settings

from dashboard.sessions import ReadOnlySession
from requests_app.models.session import SessionStore


async def opened(cookie: str) -> tuple[Any, Any, Any]:
    """The scope and `send` that an application gets, and the `send` that was given."""
    got: list[Any] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        got.extend((scope, send))

    async def send(message: Any) -> None:
        raise AssertionError(message)

    headers = [(b"cookie", f"{settings.SESSION_COOKIE_NAME}={cookie}".encode())]
    scope = {"type": "websocket", "headers": headers}
    await CookieMiddleware(ReadOnlySession(application))(scope, None, send)
    return (*got, send)


@pytest.mark.django_db(transaction=True)
async def test_the_session_is_the_one_of_the_cookie_and_messages_go_the_short_way() -> None:
    store = SessionStore()
    await store.acreate()
    await store.aset("team", 7)
    await store.asave()
    scope, its_send, send = await opened(store.session_key or "")
    assert await scope["session"].aget("team") == 7
    assert its_send is send


@pytest.mark.django_db(transaction=True)
async def test_a_made_up_cookie_is_an_empty_session() -> None:
    scope, _, _ = await opened("m" * 32)
    assert await scope["session"].aget("team") is None
