"""Who is not logged in: a page leads to the log-in, a script is told (401) and asks its person."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

View = Callable[..., HttpResponseBase]
V = TypeVar("V", bound=View)
SAFE = ("GET", "HEAD")
LOGGED_OUT = "You are logged out. Log in, then try again."
# Beside the sentence, for the page's scripts: what kind of refusal it is.
CAUSE = "X-Refusal"


def login_required(view: V) -> V:
    """Only for people who are logged in."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if is_script(request):
            return unauthorized()
        return redirect_to_login(_way_back(request))

    return cast(V, inner)


def is_script(request: HttpRequest) -> bool:
    """Whether a script of a page asks (htmx, fetch), to which a redirect would look like an answer.

    Browsers name the mode on https and localhost alone; on plain http a navigation is known by what it
    accepts. A program that says nothing at all is treated like a navigation.
    """
    if request.headers.get("HX-Request"):
        return True
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode:
        return mode != "navigate"
    accepted = request.headers.get("Accept", "")
    return bool(accepted) and "text/html" not in accepted


def unauthorized() -> HttpResponse:
    """401 and the sentence. Nothing was done, so the same may be sent again after a log-in."""
    response = JsonResponse({"detail": LOGGED_OUT}, status=401)
    response["WWW-Authenticate"] = "Session"  # no scheme a browser would ask a password for
    response[CAUSE] = "login"
    return response


def _way_back(request: HttpRequest) -> str:
    """The page to come back to: this one, or for a POST the one that sent it."""
    if request.method in SAFE:
        return request.get_full_path()
    sender = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        sender, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    parts = urlsplit(sender)
    return (f"{parts.path}?{parts.query}" if parts.query else parts.path) if ours else "/"
