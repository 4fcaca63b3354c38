"""The requests that match a search, as a download."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app.export.filtered import FORMATS
from requests_app.export.streaming import download
from requests_app.views.access import team_required
from requests_app.views.errors import error_page
from requests_app.views.listing import Listing


@team_required
@require_safe
def export(request: HttpRequest) -> HttpResponse:
    """Download the matching requests: GET /requests/export/?q=<search>&format=csv, jsonl or zip."""
    format = request.GET.get("format", "csv")
    if format not in FORMATS:
        raise Http404
    listing = Listing.of(request)
    if listing.problems:
        return error_page(request, 400, "Nothing was exported", " ".join(listing.problems))
    name = f"requests-{timezone.now():%Y-%m-%d}"
    return download(FORMATS[format](listing.matching().rows), name=name, format=format)  # type: ignore[return-value]
