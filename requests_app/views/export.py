"""The requests that match a search, as a download."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest
from django.views.decorators.http import require_safe

from requests_app import audit
from requests_app.export.filtered import FORMATS, export_response
from requests_app.views.access import team_of, team_required
from requests_app.views.errors import error_page
from requests_app.views.listing import Listing


@team_required
@require_safe
def export(request: HttpRequest) -> Any:
    """Download the matching requests: GET /requests/export/?q=<search>&format=csv, jsonl or zip."""
    format = request.GET.get("format", "csv")
    if format not in FORMATS:
        raise Http404
    listing = Listing.of(request)
    if listing.problems:
        return error_page(request, 400, "Nothing was exported", " ".join(listing.problems))
    audit.note_export("requests", listing.text, format, team_id=team_of(request).pk)
    return export_response(listing.matching().rows, format)
