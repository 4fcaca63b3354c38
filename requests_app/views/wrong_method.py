"""Middleware: a page for a method that an address does not take, instead of Django's empty 405."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase

from requests_app.views.errors import error_page


def wrong_method(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    """A log-in leads here too: it sends the browser back to the address of a form, without the form."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not isinstance(response, HttpResponseNotAllowed) or response.content:
            return response
        page = error_page(
            request,
            405,
            "Nothing to see here",
            "This address takes what a button or form sends. Nothing was done.",
        )
        page["Allow"] = response["Allow"]
        return page

    return middleware
