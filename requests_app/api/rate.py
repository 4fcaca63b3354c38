"""How many calls a token may make, and the headers that tell it: a bucket per token, in this process.

`RateLimit-Limit` calls a minute flow in evenly; `RateLimit-Remaining` are left, and after
`RateLimit-Reset` seconds the bucket is full again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from requests_app.accounts.network import network_of
from requests_app.accounts.rates import Buckets, Left

buckets = Buckets()
strangers = Buckets("An address without a valid token")


def count(request: HttpRequest, token_pk: int) -> None:
    """Count the call for its token. Raises TooManyCalls."""
    most = settings.API_CALLS_PER_MINUTE
    request.rate_left = Left(most, 0)  # type: ignore[attr-defined]
    left = buckets.take(token_pk, most, now=time.monotonic())
    request.rate_left = left  # type: ignore[attr-defined]


def count_stranger(request: HttpRequest) -> None:
    """Count a call without a valid token for its address. Raises TooManyCalls."""
    strangers.take(network_of(request), settings.PAGES_PER_MINUTE, now=time.monotonic())


def rate_headers(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: tell each call with a token how many are left."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        left: Left | None = getattr(request, "rate_left", None)
        if left:
            for name, value in left.headers.items():
                response.headers[name] = value
        return response

    return middleware
