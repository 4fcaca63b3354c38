"""Stop what is meant for a team that holds its user back, before any view or other guard looks at it.

This is middleware for what names its team by itself: a request's address, and every write. What is read for the page's
team is stopped where that team is looked up (`access.membership_of`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from requests_app.models import FalRequest
from requests_app.teams.choice import in_team
from requests_app.views.access import SAFE, ask_for_factor, held_back, said_by
from requests_app.views.team_guard import NAMESPACE


class FactorGuard:
    """The middleware; runs before `TeamGuard`, which would find the user in no such team."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Answer with the way to a second factor, or let the view run."""
        match = request.resolver_match
        if match is None or match.namespace != NAMESPACE:
            return None
        # Webhooks concern no user: to ask for one makes the answer depend on the cookie.
        if getattr(view, "is_teamless", False) or not request.user.is_authenticated:
            return None
        if "public_id" not in kwargs and (
            request.method in SAFE or getattr(view, "takes_held_back", False)
        ):
            return None
        waiting = held_back(request)
        mine = in_team(waiting, _team_of(request, kwargs)) if waiting else None
        return ask_for_factor(request, mine) if mine else None


def _team_of(request: HttpRequest, kwargs: Mapping[str, Any]) -> int | None:
    if "public_id" in kwargs:
        found = FalRequest.objects.filter(public_id=kwargs["public_id"])
        return found.values_list("team_id", flat=True).first()
    said = said_by(request)
    return said.team_id if said else None
