"""The context of log lines: context variables follow tasks and threads."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest, HttpResponseBase

HEADER = "X-Request-Id"

http_request: ContextVar[str] = ContextVar("http_request", default="")
row: ContextVar[int | None] = ContextVar("row", default=None)  # the key of a request to fal

Handler = Callable[[HttpRequest], HttpResponseBase]


class InOneLine(logging.Filter):
    """Drops the traceback of a refusal that any caller can bring about, as often as it likes."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.exc_info = record.exc_text = None
        return True


def named_request(get_response: Handler) -> Handler:
    """Give each HTTP request an id of our own, for the log and for the caller.

    It is not reset: Django logs a refusal after the last middleware has returned, and each request
    has a context of its own.
    """

    def named(request: HttpRequest) -> HttpResponseBase:
        name = secrets.token_hex(8)
        http_request.set(name)
        response = get_response(request)
        response.headers[HEADER] = name
        return response

    return named
