"""The workspace around the form for a new request: the last runs of its endpoint."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.models import FalRequest, Team
from requests_app.views.access import member_required, team_of

MOST_RUNS = 24


@member_required
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Return the team's last runs of `?endpoint=ID`, newest first."""
    endpoint_id = request.GET.get("endpoint", "").strip()
    return render(request, "form/_runs.html", runs_of(team_of(request), endpoint_id))


def runs_of(team: Team, endpoint_id: str) -> dict[str, Any]:
    """Return the context of the strip below the form; empty without an endpoint."""
    if not endpoint_id or "\0" in endpoint_id:
        return {"endpoint_id": "", "runs": []}
    rows = FalRequest.objects.without_payload().submitted()
    mine = rows.filter(team=team, endpoint_id=endpoint_id).order_by("-id")
    return {"endpoint_id": endpoint_id[:300], "runs": mine[:MOST_RUNS]}
