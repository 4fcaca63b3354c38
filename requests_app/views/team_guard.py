"""Refuse a write that was made for another team than its page (409); every write names its team.

This is middleware and not a decorator, so that a new page is guarded by default. A write that
concerns no team is marked `teamless`. The team comes as the form field `made_for`, or from scripts
in the header `X-Made-For`, and must match:

    an address with `public_id`   the team of that request, whichever team is chosen
    any other address             the chosen team, or another one if the page told its reader of it
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render

from requests_app.forms.short import LARGE_TEXT
from requests_app.forms.submit import GLIMPSE
from requests_app.models import FalRequest, Membership
from requests_app.teams.choice import (
    Mismatch,
    in_team,
    is_known,
    membership_for_write,
    news_of,
    sentence,
)
from requests_app.views.access import (
    FIELD,
    HEADER,
    SAFE,
    held_back,
    keep_membership,
    memberships,
    said_by,
)
from requests_app.views.login import CAUSE, is_script

NAMESPACE = "requests"  # the others: log-in, which has no team, and the API, whose tokens have one
PASTED = "pasted"  # a field that may hold keys: no page shows it again
NOT_SHOWN = (
    "csrfmiddlewaretoken", FIELD, "token", "again_of", "next", "secret", "address", PASTED,
)  # fmt: skip
MOST_SHOWN = 40  # values that the page of a refusal shows: more than any form of ours has
MOST_LABEL = 80
NEWS = "X-Team-Now"  # reply header: the page's team is no longer the chosen one

V = TypeVar("V", bound=Callable[..., Any])


def teamless(view: V) -> V:
    """Mark a view that accepts a POST without a team."""
    view.is_teamless = True  # type: ignore[attr-defined]
    return view


def held_back_too(view: V) -> V:
    """Mark a view that also takes the POST of a member whom the team holds back for want of a second factor."""
    view.takes_held_back = True  # type: ignore[attr-defined]
    return view


class TeamGuard:
    """The middleware; runs after authentication, for it needs the user."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Tell a page that keeps reading for its team when another one was chosen meanwhile."""
        response = self.get_response(request)
        if request.headers.get(HEADER) and NEWS not in response and request.user.is_authenticated:
            said = said_by(request)
            if said and not is_known(said, request.session):
                mine = in_team(memberships(request), said.team_id)
                response[NEWS] = json.dumps(news_of(memberships(request), request.session, mine))
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Mapping[str, Any]
    ) -> HttpResponse | None:
        """Refuse a write for the wrong team; otherwise let the view run."""
        match = request.resolver_match
        if request.method in SAFE or match is None or match.namespace != NAMESPACE:
            return None
        if getattr(view, "is_teamless", False) or not request.user.is_authenticated:
            return None
        try:
            membership = _allowed(request, view, kwargs)
        except Mismatch as mismatch:
            return refusal(request, mismatch)
        if membership:
            keep_membership(request, membership)
        return None


def _allowed(request: HttpRequest, view: Any, kwargs: Mapping[str, Any]) -> Membership | None:
    said = said_by(request)
    if "public_id" not in kwargs:
        others = held_back(request) if getattr(view, "takes_held_back", False) else []
        return membership_for_write([*memberships(request), *others], request.session, said)
    found = FalRequest.objects.filter(public_id=kwargs["public_id"])
    membership = in_team(memberships(request), found.values_list("team_id", flat=True).first())
    if membership is None:
        return None  # the view answers with 404
    if said is None or said.team_id != membership.team_id:
        raise Mismatch(membership, is_named=said is not None)
    return membership


def _label(field: str) -> str:
    """A field's name as a person reads it: `endpoint_id` is "Endpoint"."""
    return field[:MOST_LABEL].removesuffix("_id").replace("_", " ").capitalize()


def _sent_on(form: QueryDict) -> list[tuple[str, str]]:
    """Return the fields that the page sends on; none when they are too large for a page."""
    pairs = [
        (name, value)
        for name, values in form.lists()
        if name not in (FIELD, "csrfmiddlewaretoken", PASTED)
        for value in values
    ]
    is_short = sum(len(name) + len(value) for name, value in pairs) <= LARGE_TEXT
    return pairs if is_short else []


def _beginnings(form: QueryDict) -> list[tuple[str, str]]:
    """Return what was typed as the page shows it: labels, and the beginning of each value."""
    shown = [
        (_label(name), value if len(value) <= GLIMPSE else f"{value[:GLIMPSE]}…")
        for name, values in form.lists()
        if name not in NOT_SHOWN
        for value in values
        if value
    ]
    return shown[:MOST_SHOWN]


def refusal(request: HttpRequest, mismatch: Mismatch) -> HttpResponse:
    """Return 409: nothing was done, the page keeps what was typed, and one button sends it after
    all.
    """
    news = news_of(memberships(request), request.session, mismatch.membership)
    if is_script(request):
        reply: HttpResponse = JsonResponse({"detail": sentence(news)}, status=409)
    else:
        sent, typed = _sent_on(request.POST), _beginnings(request.POST)
        context = {
            "news": news,
            "sentence": sentence(news),
            "is_named": mismatch.is_named,
            "sent": sent,
            "is_left_out": not sent and bool(typed),
            "typed": typed,
            "has_files": bool(request.FILES),
        }
        reply = render(request, "teams/other_team.html", context, status=409)
    reply[NEWS], reply[CAUSE] = json.dumps(news), "team"
    return reply
