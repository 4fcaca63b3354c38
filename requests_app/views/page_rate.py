"""Middleware: how many pages and parts of pages one person, or one address without a log-in, may ask for."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from requests_app.accounts.network import network_of
from requests_app.accounts.rates import Buckets, TooManyCalls
from requests_app.views.errors import error_page

# The API counts by token; fal's deliveries come from few addresses; supervisors ask from this machine.
OTHERS = ("/api/v1/", "/hooks/", "/healthz", "/readyz", "/metrics")
PAGES = ("/api/v1/docs", "/api/v1/openapi.json")  # which need no token

people = Buckets("One person")
addresses = Buckets("One address")


def page_rate(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Runs after authentication, for it asks who it is."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if request.path.startswith(OTHERS) and not request.path.startswith(PAGES):
            return get_response(request)
        try:
            count(request)
        except TooManyCalls as error:
            reply = error_page(request, 429, "Too many pages", f"{error} Nothing was done.")
            reply["Retry-After"] = error.retry_after
            return reply
        return get_response(request)

    return middleware


def count(request: HttpRequest) -> None:
    """Count it for the user, else for the address. Raises TooManyCalls."""
    most, now = settings.PAGES_PER_MINUTE, time.monotonic()
    if request.user.is_authenticated:
        people.take(request.user.pk, most, now=now)
    else:
        addresses.take(network_of(request), most, now=now)
