"""The state of the installation for a team's owners and admins, and the self-test of its webhook address."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.upkeep import health_report
from requests_app.views.access import membership_of, team_required


@team_required
@require_safe
def health_page(request: HttpRequest) -> HttpResponse:
    """Show each part with its state in words."""
    mine = membership_of(request)
    if not mine.may_manage:
        raise PermissionDenied
    lines = health_report.report(mine.team, timezone.now())
    context = {
        "lines": lines,
        "troubles": sum(not line.is_fine for line in lines),
        "may_test": bool(settings.PUBLIC_URL),
        "version": settings.VERSION,
    }
    return render(request, "teams/health.html", context)


@team_required
@require_POST
def reach_webhooks(request: HttpRequest) -> HttpResponse:
    """Ask this site at its public address, as fal would."""
    if not membership_of(request).may_manage:
        raise PermissionDenied
    if why := health_report.reach_webhooks():
        messages.error(request, f"Webhooks would not arrive: {why}")
    else:
        messages.success(
            request, "The public address answers, from here. fal's way to it may differ."
        )
    return redirect("requests:health_page")
