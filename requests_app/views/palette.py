"""What the palette (Ctrl-K) finds for a few words: pages, views, endpoints, presets, batches, people, requests.

All of it is the team's of the page, and of each kind there are a few at most.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import and_
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from requests_app.catalogue.own import in_order, own_endpoints
from requests_app.models import Batch, Preset, SavedView
from requests_app.models.batch import BatchState
from requests_app.rules.folding import fold
from requests_app.search import MAX_LENGTH, Term, parse_search
from requests_app.views.access import membership_of, team_in_links, team_of, team_required
from requests_app.views.listing import Listing, list_url
from requests_app.views.neighbours import query_of
from requests_app.views.saved_views import SYSTEM

MOST = 5  # of a kind


class Offer(NamedTuple):
    """One line: where it leads."""

    word: str
    detail: str
    url: str
    icon: str


class Destination(NamedTuple):
    """A page that is always there, and further words it is found by."""

    word: str
    name: str
    icon: str
    words: str = ""
    key: str = ""
    for_members: bool = False
    of_payloads: bool = False


PLACES = (
    Destination("Requests", "requests:list", "queue", "list history", "g r"),
    Destination("New request", "requests:new", "plus", "submit run form", "n", for_members=True),
    Destination(
        "Overview", "requests:overview", "queue", "figures cost failures statistics", "g o"
    ),
    Destination("Realtime", "requests:realtime", "realtime", "session socket", "g l"),
    Destination("Endpoints", "requests:endpoints", "cube", "models catalogue", "g e"),
    Destination("Own apps", "requests:own_apps", "cube", "local fal run LOCAL_APPS queue offline"),
    Destination("Presets", "requests:presets", "star", "inputs saved"),
    Destination("Batches", "requests:batches", "file", "csv grid", "g b"),
    Destination("New batch", "requests:new_batch", "plus", "csv grid jsonl", for_members=True),
    Destination(
        "Import a run",
        "requests:import_run",
        "file",
        "zip upload file",
        for_members=True,
        of_payloads=True,
    ),
    Destination("Errors", "requests:errors", "warning", "failed failures groups", "g f"),
    Destination("Webhooks", "requests:deliveries", "webhook", "deliveries verdicts signatures"),
    Destination("Earlier actions", "requests:bulk_actions", "check", "bulk many cancel"),
    Destination("Notices", "requests:notices", "bell", "notifications notify tell me alerts"),
    Destination("Settings", "requests:settings", "people", "team members tokens api keys", "g s"),
    Destination("Invitations", "requests:invitations", "send", "teams"),
    Destination("Times", "requests:times", "clock", "time zone hours"),
    Destination("Sessions", "requests:my_sessions", "lock", "log out everywhere devices"),
    Destination("API", "api:openapi-view", "webhook", "documentation openapi"),
)


@require_safe
@team_required
def palette(request: HttpRequest) -> HttpResponse:
    """Return the offers for `?q=`, in groups; without words what is usual and newest."""
    q = re.sub(r"[\x00-\x1f\x7f]", " ", request.GET.get("q", ""))[:MAX_LENGTH].strip()
    in_team = f"?team={team}" if (team := team_in_links(request)) else ""
    groups = {
        "Pages": _pages(request, fold(q).split(), in_team),
        "Views": _views(request, q, in_team),
        "Endpoints": _endpoints(request, q, in_team),
        "Presets": _presets(request, q, in_team),
        "Batches": _batches(request, q, in_team),
        "People": _people(request, q),
        "Requests": _requests(request, q),
    }
    context = {"groups": [(title, offers) for title, offers in groups.items() if offers]}
    return render(request, "lib/_palette_offers.html", context)


def _has(words: list[str], text: str) -> bool:
    return all(word in fold(text) for word in words)


def _pages(request: HttpRequest, words: list[str], in_team: str) -> list[Offer]:
    mine = membership_of(request)
    open_ones = (
        place
        for place in PLACES
        if (mine.may_submit or not place.for_members) and (mine.sees or not place.of_payloads)
    )
    found = [one for one in open_ones if _has(words, f"{one.word} {one.words}")]
    return [Offer(one.word, one.key, reverse(one.name) + in_team, one.icon) for one in found[:MOST]]


def _endpoints(request: HttpRequest, q: str, in_team: str) -> list[Offer]:
    found = in_order(own_endpoints(team_of(request), q=q))[:MOST]
    return [
        Offer(
            one.endpoint_id,
            one.title,
            reverse("requests:endpoint", args=[one.endpoint_id]) + in_team,
            "cube",
        )
        for one in found
    ]


def _named(q: str, *columns: str) -> Q:
    """Every word is in one of these columns."""
    parts = [
        reduce(
            lambda one, other: one | other, (Q(**{f"{name}__icontains": word}) for name in columns)
        )
        for word in q.split()
    ]
    return reduce(and_, parts, Q())


def _views(request: HttpRequest, q: str, in_team: str) -> list[Offer]:
    me = membership_of(request)
    seen = SavedView.objects.seen_by(me.user_id, me.team_id).filter(_named(q, "name", "query"))
    words = fold(q).split()
    ours = [view for view in SYSTEM.values() if _has(words, f"{view.name} {view.query}")]
    return [
        Offer(
            view.name,
            view.query,
            reverse("requests:open_view", args=[view.public_id]) + in_team,
            "search",
        )
        for view in [*seen.order_by("-saved_at")[:MOST], *ours][:MOST]
    ]


def _presets(request: HttpRequest, q: str, in_team: str) -> list[Offer]:
    mine = Preset.objects.inputs().filter(_named(q, "name", "endpoint_id"), team=team_of(request))
    return [
        Offer(
            preset.name,
            preset.endpoint_id,
            reverse("requests:preset", args=[preset.public_id]) + in_team,
            "star",
        )
        for preset in mine.only("name", "endpoint_id", "public_id").order_by("-saved_at")[:MOST]
    ]


def _batches(request: HttpRequest, q: str, in_team: str) -> list[Offer]:
    mine = Batch.objects.filter(_named(q, "name", "endpoint_id"), team=team_of(request))
    shown = mine.exclude(state=BatchState.STORING).order_by("-pk")
    return [
        Offer(
            batch.name or f"Batch {str(batch.public_id)[:8]}",
            batch.endpoint_id,
            reverse("requests:batch", args=[batch.public_id]) + in_team,
            "file",
        )
        for batch in shown.only("name", "endpoint_id", "public_id")[:MOST]
    ]


def _people(request: HttpRequest, q: str) -> list[Offer]:
    people = get_user_model()._default_manager.filter(
        _named(q, "username"), memberships__team=team_of(request)
    )
    names = people.order_by("username").values_list("username", flat=True)[:MOST]
    return [
        Offer(
            name,
            "requests by",
            list_url(q=str(Term("by", name)), team=team_in_links(request)),
            "person",
        )
        for name in names
    ]


def _requests(request: HttpRequest, q: str) -> list[Offer]:
    listing = Listing.of(request)
    # The last word may not be typed to its end.
    search = parse_search(f"{q}*") if re.search(r"(^|\s)\w{3,}$", q) else parse_search(q)
    search = listing.readable(search)
    keys = [] if search.problems else listing.matching(search).newest(MOST)
    rows = listing.everything.filter(pk__in=keys).order_by("-pk").without_payload()
    rows = rows.shown_to(sees=listing.sees)
    found = [
        Offer(
            row.endpoint_id if row.is_hidden else row.summary or row.endpoint_id,
            f"{row.get_status_display()} · {row.endpoint_id}",
            reverse("requests:detail", args=[row.public_id]),
            "queue",
        )
        for row in rows
    ]
    if q:
        url = f"{reverse('requests:list')}{query_of(q, team=listing.in_links or 0)}"
        found.append(Offer(f"Search all requests for {q}", "", url, "search"))
    return found
