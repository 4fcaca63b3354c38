"""Who calls a page and from where, for the audit trail."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from requests_app.accounts.network import network_of
from requests_app.audit import Origin, acted, acting

Handler = Callable[[HttpRequest], HttpResponseBase]


def known_origin(get_response: Handler) -> Handler:
    """Let the trail know the caller of each request; runs after authentication."""

    def known(request: HttpRequest) -> HttpResponseBase:
        token = acting(lambda: _origin_of(request))
        try:
            return get_response(request)
        finally:
            acted(token)

    return known


def _origin_of(request: HttpRequest) -> Origin:
    name = request.user.get_username() if request.user.is_authenticated else ""
    return Origin(name, address=network_of(request))
