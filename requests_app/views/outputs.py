"""An output's own bytes: saved as they came, or shown when they are a picture, a recording or a video."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from requests_app.display.inert import inert
from requests_app.display.kept_media import inline_bytes
from requests_app.display.output_download import output_response, plain_type
from requests_app.display.output_media import media_response
from requests_app.views.access import get_request_or_404
from requests_app.views.login import login_required


@login_required
@require_safe
def output(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Return the raw bytes as fal sent them, as a download that the browser never renders."""
    return _inert(output_response(get_request_or_404(request.user, public_id)))


@login_required
@require_safe
def output_media(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Return the same for a picture or player of the page, a range if asked; 404 for other types."""
    row = get_request_or_404(request.user, public_id, full=False)
    return _inert(media_response(row, request.headers.get("Range", "")))


@login_required
@require_safe
def medium(request: HttpRequest, public_id: UUID, number: int) -> HttpResponseBase:
    """Return a picture, recording or video that stands in the output's JSON itself; 404 for other media."""
    row = get_request_or_404(request.user, public_id)
    found = inline_bytes(row, number, bytes(row.output or b""))
    if found is None:
        raise Http404
    content_type, data = found
    ending = plain_type(content_type)[1]
    name = f'inline; filename="{public_id}-{number}.{ending}"'
    return _inert(
        HttpResponse(data, content_type=content_type, headers={"Content-Disposition": name})
    )


def _inert(response: HttpResponseBase | None) -> HttpResponseBase:
    if response is None:
        raise Http404
    return inert(response)
