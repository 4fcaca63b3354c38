"""Caching: browsers and proxies keep no response, unless a view says otherwise."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

LOG_OUT = "account_logout"  # allauth's name of the route
NO_STORE = "private, no-store"


def private_by_default(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Middleware: a response without a `Cache-Control` of its own is not stored.

    It is outermost, so that redirects and refusals of other middleware have the header too. Static
    files set their own.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", NO_STORE)
        if _has_logged_out(request):
            # Also clears the browser's back/forward cache, which `no-store` alone may leave full.
            response.headers["Clear-Site-Data"] = '"cache"'
        return response

    return middleware


def _has_logged_out(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and match.view_name == LOG_OUT and request.method == "POST"
