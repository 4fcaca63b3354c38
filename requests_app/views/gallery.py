"""The gallery: the media of the requests that match, by the same filters as the list."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app.gallery import tiles
from requests_app.gallery.tiles import fitted, tiles_of
from requests_app.models import FalRequest
from requests_app.paging import InvalidCursor, Page, page_of
from requests_app.thumbnails.states import COLUMNS as THUMBNAIL_COLUMNS
from requests_app.views.access import team_required
from requests_app.views.errors import error_page
from requests_app.views.listing import GALLERY, Listing
from requests_app.views.neighbours import query_of
from requests_app.views.pages import bar_context, days_url, ids_in, newest_seq

TILE_LIST = "gallery/_tiles.html"
SHOWN = (
    "public_id", "team", "endpoint_id", "mode", "summary", "status", "created_at", "ended_at", "thumbnail_url", "media",
    "options", "payload_removed_at", "person__username", *THUMBNAIL_COLUMNS,
)  # fmt: skip


@require_safe
@team_required
def gallery(request: HttpRequest) -> HttpResponse:
    """Show the grid: GET /requests/gallery/?q=<search>&sort=<order>&older=<uuid>, as the list has them."""
    listing = Listing.of(request, page=GALLERY)
    if days := days_url(request, listing):
        return redirect(days)
    since = newest_seq(listing.team)
    try:
        page = _page(request, listing)
    except InvalidCursor as error:
        return error_page(request, 400, "This page is not there", str(error))
    context = {
        **bar_context(request, listing, page),
        "since": since,
        **_tiles(listing, page),
    }
    return render(request, "gallery/gallery.html", context)


@require_safe
@team_required
def gallery_tiles(request: HttpRequest) -> HttpResponse:
    """Return tiles alone: of the next page (`older=`), or of those of some requests (`ids=`) that match.

    X-Older has the query of the page after it.
    """
    listing = Listing.of(request, page=GALLERY)
    if "ids" in request.GET:
        asked = listing.everything.filter(public_id__in=ids_in(request.GET["ids"]))
        keys = listing.matching().among(asked)
        page = Page(list(_shown(listing).filter(pk__in=keys).order_by("-pk")))
    else:
        try:
            page = _page(request, listing)
        except InvalidCursor:
            page = Page([])  # the request at the edge was deleted meanwhile
    response = render(request, TILE_LIST, _tiles(listing, page))
    response["X-Older"] = page.older
    return response


def _page(request: HttpRequest, listing: Listing) -> Page[FalRequest]:
    """Return the page that is asked for. Raises InvalidCursor."""
    page = page_of(
        listing.ordered,
        within=listing.everything,
        load=lambda keys: _shown(listing).filter(pk__in=keys),
        params=request.GET.dict(),
        size=tiles.TILES,
    )
    return fitted(page, is_upwards="newer" in request.GET and not page.is_first)


def _shown(listing: Listing) -> Any:
    """Load what a tile shows of its request."""
    return listing.everything.select_related("person", "thumbnail").only(*SHOWN)


def _tiles(listing: Listing, page: Page[FalRequest]) -> dict[str, Any]:
    query = query_of(str(listing.search), sort=listing.sort)
    return {"tiles": tiles_of(page.rows, timezone.now()), "row_query": query}
