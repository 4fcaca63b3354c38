"""Import the file of a run: the page with its form, and what came of it."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from requests_app import lifecycle
from requests_app.models import FalRequest
from requests_app.request_input import InvalidDraft
from requests_app.runfile.kept_media import keep_media
from requests_app.runfile.reading import read_run
from requests_app.runfile.zip_reading import NotARunFile
from requests_app.views.access import member_required, person_of, team_of

NO_FILE = "Choose the file of a run: the zip that “Download run” made."


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_run(request: HttpRequest) -> HttpResponse:
    """Show the form. A POST with the zip leads to the request that was made from it."""
    if request.method != "POST":
        return _page(request)
    file = request.FILES.get("file")
    if file is None or isinstance(file, list):
        return _page(request, NO_FILE)
    try:
        run = read_run(file)
        row, is_new = lifecycle.import_run(
            run, team=team_of(request), person=person_of(request), now=timezone.now()
        )
    except (NotARunFile, InvalidDraft) as error:
        return _page(request, str(error))
    if not is_new:
        return _page(request, known=row)
    keep_media(row, run, file, timezone.now())
    messages.success(request, "The run is imported.")
    return redirect(reverse("requests:detail", args=[row.public_id]))


def _page(request: HttpRequest, problem: str = "", known: FalRequest | None = None) -> HttpResponse:
    context = {"problem": problem, "known": known}
    return render(request, "exports/import.html", context, status=422 if problem else 200)
