"""One run as a file."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from requests_app import audit
from requests_app.display.inert import inert
from requests_app.runfile.writing import run_file_response
from requests_app.views.access import get_request_or_404
from requests_app.views.login import login_required


@login_required
@require_safe
def run_file(request: HttpRequest, public_id: UUID) -> HttpResponseBase:
    """Download all that is kept of a request, as a zip with a page that shows it."""
    row = get_request_or_404(request.user, public_id)
    audit.note_export("run", str(row.public_id), "zip", team_id=row.team_id)
    return inert(run_file_response(row))
