"""The context of log lines: context variables follow tasks and threads."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from typing import Any

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware

HEADER = "X-Request-Id"

http_request: ContextVar[str] = ContextVar("http_request", default="")
row: ContextVar[int | None] = ContextVar("row", default=None)  # the key of a request to fal

Handler = Callable[[HttpRequest], Any]


@sync_and_async_middleware
def named_request(get_response: Handler) -> Handler:
    """Give each HTTP request an id of our own, for the log and for the caller.

    It is not reset: Django logs a refusal after the last middleware has returned, and each request
    has a context of its own.
    """

    def named(response: HttpResponseBase, name: str) -> HttpResponseBase:
        response.headers[HEADER] = name
        return response

    def begin() -> str:
        name = secrets.token_hex(8)
        http_request.set(name)
        return name

    if iscoroutinefunction(get_response):
        answer: Callable[[HttpRequest], Awaitable[HttpResponseBase]] = get_response

        async def later(request: HttpRequest) -> HttpResponseBase:
            name = begin()
            return named(await answer(request), name)

        return later

    def now(request: HttpRequest) -> HttpResponseBase:
        name = begin()
        return named(get_response(request), name)

    return now
