"""Middleware: a bound of its own for a form in the URL encoding, whose decoding takes seventy times its
size in memory. Forms that hold megabytes are sent as multipart/form-data, which is decoded in place.
"""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import Resolver404, resolve

from requests_app.views.errors import too_large

MOST_ENCODED = 1024 * 1024  # bytes
ENCODED = "application/x-www-form-urlencoded"


def form_size(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """Stands before all that reads `request.POST`, which is decoded as a whole at the first look."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # Measured: a chunked body declares no length.
        is_large = request.content_type == ENCODED and len(request.body) > MOST_ENCODED
        if is_large and not _is_for_programs(request):
            return too_large(request, MOST_ENCODED)
        return get_response(request)

    return middleware


def _is_for_programs(request: HttpRequest) -> bool:
    """Whether the view reads bytes and no form: then it has no CSRF check."""
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return False
    return getattr(view, "csrf_exempt", False)
