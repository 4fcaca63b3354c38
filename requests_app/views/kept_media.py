"""Our own copy of a medium of a request's output."""

from __future__ import annotations

from uuid import UUID

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from requests_app.copies.sending import AskedBytes, copy_response, kept_copy
from requests_app.views.access import get_request_or_404
from requests_app.views.login import login_required


@login_required
@require_safe
def kept_media(request: HttpRequest, public_id: UUID, number: int) -> HttpResponseBase:
    """Return the file or a range of it; harmless types to be shown, all others as a download."""
    row = get_request_or_404(request.user, public_id, full=False)
    copy = kept_copy(row, number) if number <= 2**15 - 1 else None
    response = copy_response(row, copy, AskedBytes.of(request.headers)) if copy else None
    if response is None:
        raise Http404
    return response
