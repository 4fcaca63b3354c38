"""Keep secrets that stand in URLs and headers out of every log line."""

from __future__ import annotations

import functools
import logging
import re
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

# The webhook's secret, the tokens of setup and invitation links.
_SECRET = re.compile(r"(/hooks/fal/[^/\s\"']*/|/setup/|/join/)[^/?\s\"'>]+")
# An API token of ours, and what stands in an Authorization header.
_CREDENTIAL = re.compile(r"\b(fdk_|Bearer +|Key +(?=[^\s:\"']+:))[^\s\"',}]+")
MASK = "***"


def mask(text: str) -> str:
    """The text with the secret part of our secret-bearing paths, and credentials, replaced."""
    return _CREDENTIAL.sub(rf"\g<1>{MASK}", _SECRET.sub(rf"\g<1>{MASK}", text))


def masks_path(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Outermost decorator of a view with a secret in its path: Django logs refusals with the path."""

    @functools.wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        request.path = mask(request.path)
        return view(request, *args, **kwargs)

    return inner


class MaskingFormatter(logging.Formatter):
    """Masks the finished line, so that arguments and tracebacks are covered as well."""

    def format(self, record: logging.LogRecord) -> str:
        """One line (and its traceback) without secrets."""
        return mask(super().format(record))
