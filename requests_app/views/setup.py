"""The page of the one-time set-up link: creates the first team and owner, and logs in."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dashboard.masking import masks_path
from requests_app.accounts import devices
from requests_app.forms.setup import SetupForm
from requests_app.models import NameTaken
from requests_app.teams.setup import LinkDead, is_live, make_first_owner
from requests_app.views.team_guard import teamless


@teamless
@masks_path
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def setup(request: HttpRequest, token: str) -> HttpResponse:
    """GET shows the form, POST creates the owner; a dead link is a 404 like an unknown one."""
    if not is_live(token):
        raise Http404
    form = SetupForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            return _made(request, token, form)
        except LinkDead as error:
            raise Http404 from error
        except NameTaken as error:  # created by an operator's command at the same moment
            form.add_error("username", error)
    status = 422 if request.method == "POST" else 200
    return render(request, "teams/setup.html", {"form": form}, status=status)


def _made(request: HttpRequest, token: str, form: SetupForm) -> HttpResponse:
    user = make_first_owner(token, **form.cleaned_data)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    response = redirect(settings.LOGIN_REDIRECT_URL)
    devices.remember(request, response, user)
    return response
