"""The media files of ticked tiles, or of all that match, as a zip."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from requests_app import audit
from requests_app.export.streaming import download
from requests_app.forms.bulk import MATCHING, MOST_TICKED
from requests_app.gallery.media_zip import MOST_FILES, zip_of_media
from requests_app.gallery.tiles import Tile, tiles_of
from requests_app.models.request import FalRequestQuerySet
from requests_app.views.access import team_in_links, team_required
from requests_app.views.errors import error_page
from requests_app.views.gallery import SHOWN
from requests_app.views.listing import GALLERY, Listing
from requests_app.views.neighbours import query_of
from requests_app.views.pages import ids_in

AT_ONCE = 50  # requests in memory


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def media_zip(request: HttpRequest) -> Any:
    """Stream the zip: GET ?q=<search> for what matches; POST for ticked tiles (`medium`) or requests (`id`)."""
    if request.method == "POST" and request.POST.get("scope") != MATCHING:
        return _of_ticked(request)
    if request.method == "POST":
        query = query_of(request.POST.get("q", ""), team=team_in_links(request) or 0)
        return redirect(f"{reverse('requests:media_zip')}{query}")
    listing = Listing.of(request, page=GALLERY)
    if listing.problems:
        return error_page(request, 400, "Nothing was packed", " ".join(listing.problems))
    keys = listing.ordered.newest(MOST_FILES + 1)
    audit.note_export("media", listing.text, "zip", team_id=listing.team.pk)
    return _zip(_tiles(listing, keys[:MOST_FILES]), has_more=len(keys) > MOST_FILES)


def _of_ticked(request: HttpRequest) -> Any:
    listing = Listing.of(request, page=GALLERY)
    chosen = request.POST.getlist("medium")[:MOST_TICKED]
    names = [key.partition(".")[0] for key in chosen] or request.POST.getlist("id")[:MOST_TICKED]
    ids = dict.fromkeys(one for name in dict.fromkeys(names) for one in ids_in(name))
    found = listing.everything.filter(public_id__in=list(ids), media_kinds__isnull=False)
    keys = list(found.order_by("-pk").values_list("pk", flat=True))
    if not keys:
        sentence = "Tick pictures, videos or files in the gallery first."
        return error_page(request, 400, "Nothing was packed", sentence)
    audit.note_export("media", f"{len(keys)} requests, ticked", "zip", team_id=listing.team.pk)
    tiles = _tiles(listing, keys)
    picked = (tile for tile in tiles if not chosen or tile.key in chosen)
    return _zip(picked, has_more=False)


def _tiles(listing: Listing, keys: list[int]) -> Iterator[Tile]:
    """Yield the tiles of these requests in this order, some requests at a time."""
    rows: FalRequestQuerySet = listing.everything.select_related("person", "thumbnail").only(*SHOWN)
    for first in range(0, len(keys), AT_ONCE):
        some = keys[first : first + AT_ONCE]
        found = {row.pk: row for row in rows.filter(pk__in=some)}
        yield from tiles_of([found[key] for key in some if key in found], timezone.now())


def _zip(tiles: Iterator[Tile], *, has_more: bool) -> Any:
    name = f"media-{timezone.now():%Y-%m-%d}"
    return download(zip_of_media(tiles, has_more=has_more), name=name, format="zip")
