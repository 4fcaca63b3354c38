"""Notices: what tells users, and the team, that something happened."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.views.access import team_required


@team_required
@require_safe
def notices(request: HttpRequest) -> HttpResponse:
    """Show the choice of this browser; a script reads and keeps it."""
    return render(request, "notices/notices.html")
