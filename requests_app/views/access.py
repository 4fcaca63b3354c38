"""Who may see and do what. Every look-up starts from the person's teams."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from requests_app.models import FalRequest, Membership, Team
from requests_app.views.login import login_required

View = Callable[..., HttpResponse]
SESSION_KEY = "team"


class NoTeam(Exception):
    """The person is logged in and belongs to no team."""


def membership_of(request: HttpRequest) -> Membership:
    """The membership in the team chosen in the session, else in the first team by name."""
    if not hasattr(request, "_membership"):
        request._membership = _find_membership(request)  # type: ignore[attr-defined]
    membership: Membership | None = request._membership  # type: ignore[attr-defined]
    if membership is None:
        raise NoTeam
    return membership


def _find_membership(request: HttpRequest) -> Membership | None:
    if not request.user.is_authenticated:
        return None
    mine = Membership.objects.filter(user=request.user).select_related("team", "user")
    chosen = mine.filter(team_id=request.session.get(SESSION_KEY, 0)).first()
    return chosen or mine.order_by("team__name").first()


def team_of(request: HttpRequest) -> Team:
    """The team whose requests the page shows."""
    return membership_of(request).team


def get_request_or_404(user: Any, public_id: UUID | str, *, full: bool = True) -> FalRequest:
    """The request, if it belongs to one of the person's teams; a foreign one does not exist.

    Without `full` the columns that can hold megabytes are left out.
    """
    rows = FalRequest.objects.select_related("team", "person", "again_of").defer(
        "again_of__input_text", "again_of__output", "again_of__search_text"
    )
    rows = rows if full else rows.without_payload()
    try:
        return rows.get(team__in=Team.objects.of(user), public_id=public_id)
    except (FalRequest.DoesNotExist, ValidationError) as error:
        raise Http404 from error


def get_actable_or_404(user: Any, public_id: UUID | str) -> FalRequest:
    """The same for somebody who wants to act on it; viewers are refused (403)."""
    row = get_request_or_404(user, public_id)
    membership = Membership.objects.get(team=row.team, user=user)
    if not membership.may_submit:
        raise PermissionDenied
    return row


def team_required(view: View) -> View:
    """Log-in first; somebody without a team is told so."""

    @login_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            membership_of(request)
        except NoTeam:
            return render(request, "teams/no_team.html", status=403)
        return view(request, *args, **kwargs)

    return inner


def member_required(view: View) -> View:
    """As `team_required`, and the role in the present team must allow to submit."""

    @team_required
    @wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not membership_of(request).may_submit:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return inner
