"""What every page shows: team, teams, sandbox, allowed media hosts, format of times."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from requests_app.display.times import TimeStyle
from requests_app.models import Membership, Team, TimePreference
from requests_app.teams import invitations
from requests_app.teams.choice import MadeFor, NotChosen, NoTeam
from requests_app.teams.second_factor import closed_by_last_factor
from requests_app.views.access import held_back, membership_of, memberships, waiting_page

SECTIONS = ("batches", "errors", "settings")  # of addresses, which the header marks


def frame(request: HttpRequest) -> dict[str, Any]:
    """Return the template context `frame`, `preference` and `time_style`; queries the database only when used."""
    chosen = SimpleLazyObject(lambda: _preference(request))
    return {
        "frame": SimpleLazyObject(lambda: _frame(request)),
        "preference": chosen,
        "time_style": SimpleLazyObject(
            lambda: TimeStyle(chosen.zone, chosen.has_ages, chosen.hours)
        ),
    }


def _preference(request: HttpRequest) -> TimePreference:
    return TimePreference.of(request.user) if hasattr(request, "user") else TimePreference()


def _frame(request: HttpRequest) -> dict[str, Any]:
    context: dict[str, Any] = {"team": None, "teams": [], "held_teams": [], "membership": None}
    context |= {"has_team": False, "team_name": "", "role": ""}
    context |= {"invitations": 0, "query": "", "and_query": "", **_fixed(), **_place(request)}
    if not hasattr(request, "user") or not request.user.is_authenticated:
        return context
    teams = [one.team for one in memberships(request)]
    number = invitations.number_open_for(request.user, now=timezone.now())
    held = [one.team for one in held_back(request)]
    context |= {"teams": teams, "held_teams": held, "invitations": number}
    context["username"] = request.user.get_username()
    context["has_choice"] = len(teams) + len(held) > 1
    mine = [*memberships(request), *held_back(request)]
    context["closed_by_last_factor"] = SimpleLazyObject(lambda: closed_by_last_factor(mine))
    context["waiting_page"] = SimpleLazyObject(lambda: waiting_page(request))
    try:
        membership = membership_of(request)
    except (NoTeam, NotChosen):
        return context | {"has_choice": bool(teams)}
    return context | _of_member(membership) | _of_team(request, membership.team, teams)


def _place(request: HttpRequest) -> dict[str, Any]:
    """Return where the page is; `view` is None for an address that leads nowhere."""
    match = request.resolver_match
    sections = [name for name in SECTIONS if f"/{name}/" in request.path]
    return {"view": match.view_name if match else None, "section": " ".join(sections)}


def _of_member(membership: Membership) -> dict[str, Any]:
    return {
        "membership": membership,
        "may_submit": membership.may_submit,
        "may_manage": membership.may_manage,
        "role": membership.get_role_display().lower(),
    }


def _of_team(request: HttpRequest, team: Team, teams: list[Team]) -> dict[str, Any]:
    """Return what the page shows of its team, and `query` (or `and_query`, behind
    another one), which keeps its links in this team.
    """
    said = MadeFor.of(team.pk, request.session)
    chosen = next((one for one in teams if one.pk == said.known_id), None)
    return {
        "team": team,
        "has_team": True,
        "team_name": team.name,
        "team_pk": team.pk,
        "made_for": str(said),
        "is_other_team": said.known_id is not None,
        "chosen_name": chosen.name if chosen else "",
        "query": f"?team={team.pk}" if len(teams) > 1 else "",
        "and_query": f"&team={team.pk}" if len(teams) > 1 else "",
    }


def _fixed() -> dict[str, Any]:
    return {
        "sandbox": settings.SANDBOX,
        "version": settings.VERSION,
        "sign_on": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
        "is_open": settings.SIGNUP == "OPEN",
        "has_passwords": settings.PASSWORD_LOGIN,
        "live_url": "/ws/",
        "upload_limit": settings.UPLOAD_LIMIT_BYTES,
        "media_hosts": " ".join(settings.FAL_MEDIA_HOSTS),
    }
