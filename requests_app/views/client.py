"""The package `faldeck` for pip, which cannot log in; it holds nothing that is secret."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from requests_app.export.client_wheel import client_wheel


@require_safe
def wheel(request: HttpRequest, filename: str) -> HttpResponse:
    """Return the wheel that fits this installation; 404 for any other name."""
    made = client_wheel()
    if filename != made.name:
        raise Http404
    response = HttpResponse(made.data, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{made.name}"'
    return response
