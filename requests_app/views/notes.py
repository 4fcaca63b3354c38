"""A user's note on a request."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from requests_app import lifecycle
from requests_app.forms.note import NoteForm
from requests_app.views.access import get_actable_or_404, person_of
from requests_app.views.actions import row_url
from requests_app.views.login import login_required


@login_required
@require_POST
def note(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Keep a note with the request; members of the team see it in the timeline."""
    row = get_actable_or_404(request, public_id)
    form = NoteForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["text"])))
        return redirect(row_url(row))
    text = form.cleaned_data["text"].replace("\r\n", "\n")
    lifecycle.add_note(row.pk, text, person=person_of(request), now=timezone.now())
    return redirect(f"{row_url(row)}#notes")
