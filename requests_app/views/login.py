"""Without a log-in: a page redirects to the log-in, a script gets 401 and asks the user."""

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
# Header for the page's scripts: the kind of refusal.
CAUSE = "X-Refusal"


def login_required(view: V) -> V:
    """Require a log-in."""

    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.user.is_authenticated:
            return view(request, *args, **kwargs)
        if is_script(request):
            return unauthorized()
        return redirect_to_login(way_back(request))

    return cast(V, inner)


def is_script(request: HttpRequest) -> bool:
    """Whether a script sent this request (htmx, fetch), which would take a redirect for an answer.

    Browsers name the mode on https and localhost only; on plain http a navigation is known by its
    Accept header. A program that sends neither is treated like a navigation.
    """
    if request.headers.get("HX-Request"):
        return True
    mode = request.headers.get("Sec-Fetch-Mode")
    if mode:
        return mode != "navigate"
    accepted = request.headers.get("Accept", "")
    return bool(accepted) and "text/html" not in accepted


def unauthorized() -> HttpResponse:
    """Return 401 and the sentence. Nothing was done, so the request may be repeated after a log-in."""
    response = JsonResponse({"detail": LOGGED_OUT}, status=401)
    # no scheme for which a browser would ask for a password
    response["WWW-Authenticate"] = "Session"
    response[CAUSE] = "login"
    return response


def way_back(request: HttpRequest) -> str:
    """Return the page to come back to: this one, or for a POST the one that sent it."""
    if request.method in SAFE:
        return request.get_full_path()
    sender = request.headers.get("Referer", "")
    ours = url_has_allowed_host_and_scheme(
        sender, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    parts = urlsplit(sender)
    return (f"{parts.path}?{parts.query}" if parts.query else parts.path) if ours else "/"
