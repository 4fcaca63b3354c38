"""The list and its fragments: rows, counts, changes.

A row is drawn in one place, so first paint, push, reconnect and polling all show the same
(`templatetags.rows`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app.display.columns import in_order
from requests_app.models import FalRequest, Observation, Team
from requests_app.models.compiled import CompiledQuery
from requests_app.paging import InvalidCursor, Page, page_of
from requests_app.record.followers import mark_polled
from requests_app.search import MAX_LENGTH, Sorted, parse_search
from requests_app.search.language import EACH
from requests_app.search.sorting import MOST_SORTED
from requests_app.views.access import team_of, team_required
from requests_app.views.errors import error_page
from requests_app.views.filter_bar import FilterBar, with_days
from requests_app.views.listing import LIST, Listing, chips_of, examples, recent_endpoints
from requests_app.views.neighbours import query_of
from requests_app.views.peek import peek_of
from requests_app.views.row_html import ROWS
from requests_app.views.saved_views import menu_of

MOST_IDS = 100  # rows one page asks for at once
MOST_CHANGES = 500
EDGES = {"first": 0, "last": -1}  # of a page, opened beside it: `?peek=first`
# Ids are not handed out in the order of commits: a read looks back this far, so that a row of a
# slow transaction is not missed.
OVERLAP = timedelta(seconds=5)


@require_safe
@team_required
def request_list(request: HttpRequest) -> HttpResponse:
    """Show the table: GET /requests/?q=<search>&sort=<order>&older=<uuid>; &last=<search> is shown if q is
    invalid; &from=<day>&until=<day> become part of the search.
    """
    listing = Listing.of(request, page=LIST)
    if moved := days_url(request, listing) or added_url(request, listing):
        return redirect(moved)
    # Read before the rows: a change in between is then told twice, not missed.
    since = newest_seq(listing.team)
    try:
        page = page_of(
            listing.ordered,
            within=listing.everything,
            load=listing.listed,
            params=request.GET.dict(),
        )
    except InvalidCursor as error:
        return error_page(request, 400, "This page is not there", str(error))
    if (edge := request.GET.get("peek")) in EDGES and page.rows:
        asked = request.GET.copy()
        asked["peek"] = str(page.rows[EDGES[edge]].public_id)
        return redirect(f"{request.path}?{asked.urlencode()}")
    context = {
        **bar_context(request, listing, page),
        "since": since,
        "opened": timezone.now(),
        "row_query": query_of(str(listing.search), sort=listing.sort),
        "peek": peek_of(request),
    }
    return render(request, "list/list.html", context)


def days_url(request: HttpRequest, listing: Listing) -> str:
    """Return where a form with days leads; empty when none are asked for."""
    if "from" not in request.GET and "until" not in request.GET:
        return ""
    first, last = request.GET.get("from", ""), request.GET.get("until", "")
    return listing.url(with_days(listing.search, first, last))


def added_url(request: HttpRequest, listing: Listing) -> str:
    """Return where `?add=<term>` leads: a term with a minus is one more, another takes the place of its field's."""
    added = parse_search(request.GET.get("add", "")[:MAX_LENGTH])
    if added.problems or not added.terms:
        return ""
    search = listing.search
    for term in added.terms:
        gone = [one for one in search.terms if one == replace(term, negated=not term.negated)]
        if not term.negated and term.key not in EACH:
            gone += [one for one in search.terms if one.key == term.key and not one.negated]
        for one in gone:
            search = search.without(one)
        search = replace(search, terms=(*search.terms, *(() if term in search.terms else (term,))))
    return listing.url(search)


def bar_context(request: HttpRequest, listing: Listing, page: Page[Any]) -> dict[str, Any]:
    """Return what list and gallery show above and below a page of requests."""
    endpoints = recent_endpoints(listing)
    return {
        "listing": listing,
        "views": menu_of(request, listing),
        "filters": FilterBar(listing, endpoints, listing.scope.now),
        "chips": chips_of(listing),
        "page": page,
        "newer_url": listing.url(listing.search, page.newer) if page.newer else "",
        "older_url": listing.url(listing.search, page.older) if page.older else "",
        "shown_url": listing.url(listing.search),
        "is_first_use": not endpoints,
        "examples": [] if endpoints else examples(team=listing.in_links),
        "is_bounded": isinstance(listing.ordered, Sorted) and listing.ordered.is_bounded,
        "most_sorted": f"{MOST_SORTED:,}",
        "fragment_query": query_of(str(listing.search), sort=listing.sort).removeprefix("?"),
    }


@require_safe
@team_required
def rows(request: HttpRequest) -> HttpResponse:
    """Return rows by id as <tr>s if they match the search; X-Missing names the team's other ones."""
    listing = Listing.of(request)
    ids = ids_in(request.GET.get("ids", ""))
    asked = listing.everything.filter(public_id__in=ids)
    matching = listing.matching().among(asked)
    rows_asked = listing.listed(list(asked.values_list("pk", flat=True)))
    found = [row for row in rows_asked if row.pk in matching]
    missing = {row.public_id for row in rows_asked if row.pk not in matching}
    context = {
        "rows": found,
        "row_query": query_of(str(listing.search), sort=listing.sort),
        "columns": in_order(),
    }
    response = render(request, ROWS, context)
    response["X-Missing"] = ",".join(sorted(map(str, missing)))
    return response


@require_safe
@team_required
def counts(request: HttpRequest) -> HttpResponse:
    """Return the status chips with their counts."""
    listing = Listing.of(request)
    return render(request, "list/_counts.html", {"chips": chips_of(listing)})


@require_safe
@team_required
def changes(request: HttpRequest) -> HttpResponse:
    """Return what changed after ``since``: ``{"seq": n, "rows": [[uuid, seq], …], "more": bool}``.

    Without ``since``: no rows, only the ``seq`` to start from. ``in_sight``: ids of the rows that a
    page without a socket shows, which fal is polled for at the quick pace.
    """
    team = team_of(request)
    if ids := ids_in(request.GET.get("in_sight", "")):
        mark_polled(FalRequest.objects.filter(team=team, public_id__in=ids))
    if "since" not in request.GET:
        return JsonResponse({"seq": newest_seq(team), "rows": [], "more": False})
    try:
        since = max(int(request.GET["since"]), 0)
        if since >= 2**63:
            raise ValueError
    except ValueError:
        return JsonResponse({"detail": "since is a whole number."}, status=400)
    fresh = _versions(team, Q(seq__gt=since))
    more = len(fresh) > MOST_CHANGES
    fresh = fresh[:MOST_CHANGES]
    seq = fresh[-1][1] if fresh else since
    return JsonResponse({"seq": seq, "rows": _overtaken(team, since) + fresh, "more": more})


def _overtaken(team: Team, since: int) -> list[tuple[str, int]]:
    """Return rows not newer than ``since`` but so young that they may have been committed after it."""
    young = Observation.objects.filter(
        request__team=team, id__lte=since, heard_at__gte=timezone.now() - OVERLAP
    )
    return _versions(team, Q(seq__in=young.values("id")))[-MOST_CHANGES:]


def _versions(team: Team, condition: Q) -> list[tuple[str, int]]:
    found = FalRequest.objects.filter(condition, team=team).order_by("seq")
    pairs = found.values_list("public_id", "seq")[: MOST_CHANGES + 1]
    return [(str(public_id), seq) for public_id, seq in pairs]


_NEWEST_SEQ: CompiledQuery[tuple[int]] = CompiledQuery(
    lambda team: FalRequest.objects.filter(team=team).order_by("-seq").values_list("seq")[:1]
)


def newest_seq(team: Team) -> int:
    """Return the version of the team's last change."""
    newest = _NEWEST_SEQ.first(team=team.pk)
    return newest[0] if newest else 0


def ids_in(text: str) -> list[UUID]:
    """Return the ids of a list with commas, as many as one page asks for at once."""
    found = []
    for piece in text.split(",")[:MOST_IDS]:
        try:
            found.append(UUID(piece))
        except ValueError:
            continue
    return found
