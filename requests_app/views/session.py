"""The log-in as an open page sees it: who is logged in, and the end of a log-in beside the page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.views.login import login_required, unauthorized


@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Return the logged-in user and a CSRF token for that log-in; 401 without one."""
    if not request.user.is_authenticated:
        return unauthorized()
    who = {"user": request.user.pk, "name": request.user.get_username()}
    return JsonResponse({**who, "csrf": get_token(request)})


@login_required
@require_safe
def logged_in_again(request: HttpRequest) -> HttpResponse:
    """Show the page that tells the waiting tabs of the log-in."""
    return render(request, "account/logged_in_again.html")
