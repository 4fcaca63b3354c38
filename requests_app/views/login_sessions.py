"""The pages that list log-in sessions and end them: one's own, and for owners and admins those of a member."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from requests_app.accounts import sessions
from requests_app.accounts.sessions import EVERY_ONE
from requests_app.display.browser_name import browser_name
from requests_app.teams import sessions as member_sessions_of
from requests_app.teams.people import TeamChangeRefused
from requests_app.views.access import membership_of, team_required
from requests_app.views.login import login_required
from requests_app.views.settings import manages, member_or_404
from requests_app.views.team_guard import teamless


@login_required
@require_safe
def my_sessions(request: HttpRequest) -> HttpResponse:
    """List the user's own open sessions."""
    mine = sessions.open_sessions(cast(User, request.user), request.session.session_key)
    return render(request, "teams/my_sessions.html", {"sessions": _named(mine)})


@teamless
@login_required
@require_POST
def end_session(request: HttpRequest, session_id: str) -> HttpResponse:
    """End one of the user's own sessions, or all of them, this one too."""
    user = cast(User, request.user)
    if session_id == EVERY_ONE:
        sessions.end(user, EVERY_ONE, by=user)
        logout(request)
        messages.success(request, "You are logged out everywhere.")
        return redirect("account_login")
    if not sessions.end(user, session_id, by=user):
        messages.info(request, "That session was over already.")
    else:
        messages.success(request, "The session is ended.")
    return redirect("requests:my_sessions")


@team_required
@require_safe
def member_sessions(request: HttpRequest, pk: int) -> HttpResponse:
    """List a member's open sessions."""
    mine = membership_of(request)
    if not mine.may_manage:
        raise PermissionDenied
    member = member_or_404(request, pk)
    try:
        found = member_sessions_of.of_member(member, by=mine)
    except TeamChangeRefused as refused:
        raise PermissionDenied(str(refused)) from None
    context = {"member": member, "sessions": _named(found)}
    return render(request, "teams/member_sessions.html", context)


@manages
def end_member_session(request: HttpRequest, pk: int, session_id: str) -> HttpResponse:
    """End one of a member's sessions, or all of them."""
    member = member_or_404(request, pk)
    ended = member_sessions_of.end(member, session_id, by=membership_of(request))
    name = member.user.get_username()
    if not ended and session_id != EVERY_ONE:
        messages.info(request, "That session was over already.")
    elif session_id == EVERY_ONE:
        messages.success(request, f"{name} is logged out everywhere.")
    else:
        messages.success(request, f"The session of {name} is ended.")
    return redirect("requests:member_sessions", pk=pk)


def _named(found: list[sessions.OpenSession]) -> list[tuple[sessions.OpenSession, str]]:
    return [(one, browser_name(one.agent)) for one in found]
