"""The user's choices for all pages: how times are shown (a dialog of the account menu, and a page without
scripts), whether single keys act, and whether media are blurred.
"""

from __future__ import annotations

import json

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from requests_app.display.times import LOCAL, zones_by_region
from requests_app.forms.times import TimeForm
from requests_app.models import TimePreference
from requests_app.views.actions import local_address
from requests_app.views.login import login_required
from requests_app.views.team_guard import teamless


@teamless
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def times(request: HttpRequest) -> HttpResponse:
    """Show the choice, or store another one."""
    mine = TimePreference.of(request.user)
    if request.method != "POST":
        return _page(request, TimeForm(instance=mine))
    form = TimeForm(request.POST, instance=mine)
    if not form.is_valid():
        return _page(request, form, status=422)
    kept = form.cleaned_data
    TimePreference.keep(request.user, **kept)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps({"times:chosen": kept})})
    messages.success(request, "Times show as you chose.")
    return redirect("requests:times")


@teamless
@login_required
@require_POST
def single_keys(request: HttpRequest) -> HttpResponse:
    """Store whether single keys act: `off` is sent when they do not."""
    TimePreference.keep(request.user, single_keys="off" not in request.POST)
    back = local_address(request, request.POST.get("next"))
    return redirect(back) if back else HttpResponse(status=204)


@teamless
@login_required
@require_POST
def blur(request: HttpRequest) -> HttpResponse:
    """Store whether pages blur pictures and videos until they are pointed at: `on` is 1 or 0."""
    TimePreference.keep(request.user, blurs_media=request.POST.get("on") == "1")
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204)
    return redirect(local_address(request, request.POST.get("next")) or "requests:list")


def _page(request: HttpRequest, form: TimeForm, status: int = 200) -> HttpResponse:
    name = "teams/_times.html" if request.headers.get("HX-Request") else "teams/times.html"
    regions = zones_by_region()
    offered = {LOCAL, "UTC"}.union(*(zones for _, zones in regions))
    context = {"form": form, "regions": regions, "offered": offered, "now": timezone.now()}
    return render(request, name, context, status=status)
