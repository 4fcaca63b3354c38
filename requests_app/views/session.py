"""What an open page asks when its log-in may have changed, and where a log-in beside it ends."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.views.login import login_required, unauthorized


@require_safe
def session(request: HttpRequest) -> HttpResponse:
    """Who is logged in here, and a CSRF token for that log-in; 401 when there is nobody."""
    if not request.user.is_authenticated:
        return unauthorized()
    who = {"user": request.user.pk, "name": request.user.get_username()}
    return JsonResponse({**who, "csrf": get_token(request)})


@login_required
@require_safe
def logged_in_again(request: HttpRequest) -> HttpResponse:
    """The page says so to the tabs that wait for it."""
    return render(request, "account/logged_in_again.html")
