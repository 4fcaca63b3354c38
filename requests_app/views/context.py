"""What every page's frame shows: team, teams, sandbox, where media may come from."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from requests_app.models import Team
from requests_app.teams import invitations
from requests_app.views.access import NoTeam, membership_of


def frame(request: HttpRequest) -> dict[str, Any]:
    """Template context `frame`; asks the database only when a template looks."""
    return {"frame": SimpleLazyObject(lambda: _frame(request))}


def _frame(request: HttpRequest) -> dict[str, Any]:
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return {"team": None, "teams": [], "membership": None, "invitations": 0, **_fixed()}
    theirs = len(invitations.open_for(request.user, now=timezone.now()))
    try:
        membership = membership_of(request)
    except NoTeam:
        return {
            "team": None, "teams": [], "membership": None, "invitations": theirs, **_fixed()
        }  # fmt: skip
    teams = list(Team.objects.of(request.user))
    return {
        "team": membership.team, "teams": teams, "membership": membership, "invitations": theirs,
        **_fixed(),
    }  # fmt: skip


def _fixed() -> dict[str, Any]:
    return {
        "sandbox": settings.SANDBOX,
        "version": settings.VERSION,
        "live_url": "/ws/",
        "media_hosts": " ".join(settings.FAL_MEDIA_HOSTS),
    }
