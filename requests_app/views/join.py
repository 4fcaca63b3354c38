"""The page of an invitation link: join the team with an existing or a new account."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from dashboard.masking import masks_path
from requests_app.accounts import devices
from requests_app.forms.setup import AccountForm
from requests_app.models import Account, Invitation, NameTaken, Team
from requests_app.teams import invitations
from requests_app.teams.choice import choose
from requests_app.teams.people import TeamChangeRefused
from requests_app.views.errors import gone
from requests_app.views.team_guard import teamless

TOO_MANY_NAMES = (
    "This link has refused too many names and makes no account any more. Ask for another one; "
    "who has an account can still log in and join."
)


@teamless
@masks_path
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """GET shows the team, POST accepts; a dead link says why."""
    try:
        found = invitations.find(secret, now=timezone.now())
        if not settings.PASSWORD_LOGIN and not request.user.is_authenticated:
            return redirect_to_login(request.path)  # accounts come from the identity provider
        form = None if request.user.is_authenticated else AccountForm(request.POST or None)
        if request.method == "POST" and _may_accept(found, form):
            return _accepted(request, secret, form)
    except invitations.InvitationDead as dead:
        if not str(dead):
            raise Http404 from dead
        return gone(request, str(dead))
    except NameTaken as error:  # at the same moment
        cast(AccountForm, form).add_error("username", error)
    status = 422 if request.method == "POST" else 200
    context = {"invitation": found, "form": form, "secret": secret}
    return render(request, "teams/join.html", context, status=status)


def _may_accept(found: Invitation, form: AccountForm | None) -> bool:
    """Whether the form is valid. A link reveals of only a few names that they are taken."""
    if form is None:
        return True
    if not invitations.takes_names(found):
        form.errors.clear()  # the errors would reveal that the name is taken
        form.add_error(None, TOO_MANY_NAMES)
    elif not form.is_valid() and form.is_name_taken:
        invitations.note_refused_name(found)
    return form.is_valid()


def _accepted(request: HttpRequest, secret: str, form: AccountForm | None) -> HttpResponse:
    user = _account(form) if form else cast(User, request.user)
    try:
        team = invitations.accept(secret, user, now=timezone.now())
    except TeamChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect(settings.LOGIN_REDIRECT_URL)
    if not form:
        return _in(request, team)
    login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
    response = _in(request, team)
    devices.remember(request, response, user)
    return response


def _account(form: AccountForm) -> User:
    user = Account(username=form.cleaned_data["username"])
    user.set_password(form.cleaned_data["password"])
    return user


def _in(request: HttpRequest, team: Team) -> HttpResponse:
    choose(request.session, team.pk)
    messages.success(request, f"You are in {team.name} now.")
    return redirect(settings.LOGIN_REDIRECT_URL)
