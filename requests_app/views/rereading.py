"""Read a request again from fal."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from requests_app import lifecycle
from requests_app.views.access import get_actable_or_404, person_of
from requests_app.views.actions import row_url
from requests_app.views.login import login_required


@login_required
@require_POST
def reread(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Have the worker ask fal for the status, and for a result that is missing; nothing is submitted."""
    row = get_actable_or_404(request, public_id)
    if lifecycle.reread(row.pk, person=person_of(request), now=timezone.now()):
        messages.success(request, "fal is asked. What it adds appears here and in the history.")
    else:
        messages.info(request, "fal cannot be asked about this request; nothing was changed.")
    return redirect(row_url(row))
