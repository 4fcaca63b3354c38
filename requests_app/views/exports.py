"""Exports in the background: the list and the form, the page of one, its file."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from requests_app import audit
from requests_app.export import job_files
from requests_app.export.filtered import WITHOUT_PAYLOADS
from requests_app.export.jobs import BEYOND, MOST, ExportRefused, ask_export, delete, stop
from requests_app.export.streaming import download
from requests_app.forms.export import ExportForm
from requests_app.forms.submit import new_token
from requests_app.models import HIDDEN, Export, ExportFormat
from requests_app.search import told_search
from requests_app.views.access import (
    membership_of,
    person_of,
    sees_required,
    team_in_links,
    team_of,
    team_required,
)
from requests_app.views.errors import error_page
from requests_app.views.listing import Listing, list_url

MOST_LISTED = 50
GONE = "The file is gone"


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def exports(request: HttpRequest) -> HttpResponse:
    """List the team's exports, with the form for one. A POST has a worker write it."""
    if request.method == "POST":
        return _ask(request)
    typed = {"q": request.GET.get("q", ""), "format": request.GET.get("format", "csv")}
    return _page(request, typed, "")


def _ask(request: HttpRequest) -> HttpResponse:
    form = ExportForm(request.POST)
    typed = {name: request.POST.get(name, "") for name in ("q", "format")}
    if not form.is_valid():
        sentences = [str(one) for found in form.errors.values() for one in found]
        return _page(request, typed, " ".join(sentences))
    try:
        export = ask_export(
            team=team_of(request),
            person=person_of(request),
            search=str(form.search),
            format=form.cleaned_data["format"],
            token=form.cleaned_data["token"],
            sees=membership_of(request).sees,
            now=timezone.now(),
        )
    except ExportRefused as error:
        return _page(request, typed, str(error))
    return redirect(_url(request, export))


def _page(request: HttpRequest, typed: dict[str, str], problem: str) -> HttpResponse:
    listing, sees = Listing.of(request), membership_of(request).sees
    count = 0 if listing.problems else listing.matching().count(BEYOND + 1)
    direct = {**typed, "team": team_of(request).pk, "direct": 1}
    context = {
        "exports": list(_mine(request).order_by("-id")[:MOST_LISTED]),
        "formats": [one for one in ExportFormat.choices if sees or one[0] in WITHOUT_PAYLOADS],
        "hidden": "" if sees else HIDDEN,
        "typed": typed,
        "problem": problem,
        "is_large": count > BEYOND,
        "direct_url": f"{reverse('requests:export')}?{urlencode(direct)}",
        "beyond": BEYOND,
        "most": MOST,
        "token": new_token(),
        "now": timezone.now(),
    }
    return render(request, "exports/exports.html", context, status=422 if problem else 200)


@team_required
@require_safe
def export_job(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Show an export: how far it is, and the link to its file."""
    export = get_export_or_404(request, export_id)
    return render(request, "exports/export.html", _context(request, export))


@team_required
@require_safe
def export_live(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Return what of the page changes while the file is written."""
    export = get_export_or_404(request, export_id)
    if export.state != request.GET.get("was"):  # its buttons are others now
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "exports/_live.html", _context(request, export))


@team_required
@require_safe
def export_file(request: HttpRequest, export_id: UUID) -> Any:
    """Download the file; 410 when its time is over, or it was deleted."""
    export = get_export_or_404(request, export_id)
    if not export.without_payloads:
        sees_required(request)
    if not export.is_open(timezone.now()) or not job_files.place(export.public_id).is_file():
        return error_page(request, 410, GONE, export.note or "Its time was over. Export again.")
    audit.note_export("requests", export.search, export.format, team_id=export.team_id)
    name = f"requests-{export.created_at:%Y-%m-%d}-{export.public_id.hex[:8]}"
    response = download(job_files.pieces(export.public_id), name=name, format=export.format)
    response["Content-Length"] = str(export.size)
    return response


@team_required
@require_POST
def stop_export(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Write it no further."""
    export = get_export_or_404(request, export_id)
    if stop(export, now=timezone.now()):
        messages.success(request, "Stopped. Nothing of the file is kept.")
    return redirect(_url(request, export))


@team_required
@require_POST
def delete_export(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """Delete the file before its time."""
    if delete(get_export_or_404(request, export_id)):
        messages.success(request, "The file is deleted.")
    return redirect(f"{reverse('requests:exports')}?team={team_of(request).pk}")


def get_export_or_404(request: HttpRequest, export_id: UUID) -> Export:
    """Return the team's export; a foreign one does not exist."""
    return get_object_or_404(_mine(request), public_id=export_id)


def _mine(request: HttpRequest) -> QuerySet[Export]:
    return Export.objects.filter(team=team_of(request)).select_related("person")


def _context(request: HttpRequest, export: Export) -> dict[str, Any]:
    live = reverse("requests:export_live", args=[export.public_id])
    mine = membership_of(request)
    told = told_search(export.search, sees=mine.sees)
    return {
        "export": export,
        "hidden": "" if mine.sees or export.without_payloads else HIDDEN,
        "is_open": export.is_open(timezone.now()),
        "live_url": f"{live}?was={export.state}&team={export.team_id}",
        "list_url": "" if told is None else list_url(q=told, team=team_in_links(request)),
    }


def _url(request: HttpRequest, export: Export) -> str:
    address = reverse("requests:export_job", args=[export.public_id])
    return f"{address}?team={team_of(request).pk}"
