"""The requests that match a search, as a download."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from requests_app import audit
from requests_app.export.filtered import FORMATS, WITHOUT_PAYLOADS, export_response
from requests_app.export.jobs import BEYOND
from requests_app.views.access import Hidden, team_of, team_required
from requests_app.views.errors import error_page
from requests_app.views.listing import Listing


@team_required
@require_safe
def export(request: HttpRequest) -> Any:
    """Download the matching requests: GET /requests/export/?q=<search>&format=csv, jsonl or zip.

    Of more than `BEYOND` a worker makes the file, unless `direct=1` says otherwise. Those who may not see inputs
    and outputs get the tables without them. Raises Hidden.
    """
    format = request.GET.get("format", "csv")
    if format not in FORMATS:
        raise Http404
    listing = Listing.of(request)
    if listing.problems:
        return error_page(request, 400, "Nothing was exported", " ".join(listing.problems))
    if not listing.sees and format not in WITHOUT_PAYLOADS:
        raise Hidden(listing.team.pk)
    found = listing.matching()
    if request.GET.get("direct") != "1" and found.count(BEYOND + 1) > BEYOND:
        asked = {"q": str(listing.search), "format": format, "team": team_of(request).pk}
        return redirect(f"{reverse('requests:exports')}?{urlencode(asked)}")
    audit.note_export("requests", listing.text, format, team_id=team_of(request).pk)
    return export_response(found.rows.shown_to(sees=listing.sees), format)
