"""The workspace around the form for a new request: the last runs of its endpoint."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.models import HIDDEN, FalRequest, Membership
from requests_app.views.access import member_required, membership_of

MOST_RUNS = 24
LOOK_BACK = 200  # newest rows of the endpoint, sessions among them


@member_required
@require_safe
def runs(request: HttpRequest) -> HttpResponse:
    """Return the team's last runs of `?endpoint=ID`, newest first."""
    endpoint_id = request.GET.get("endpoint", "").strip()
    return render(request, "form/_runs.html", runs_of(membership_of(request), endpoint_id))


def runs_of(reader: Membership, endpoint_id: str) -> dict[str, Any]:
    """Return the context of the strip below the form; empty without an endpoint, and for a reader to whom inputs
    are hidden: the strip is there to take them over.
    """
    if not endpoint_id or "\0" in endpoint_id or not reader.sees:
        return {"endpoint_id": "", "runs": [], "hidden": "" if reader.sees else HIDDEN}
    newest = FalRequest.objects.filter(team=reader.team_id, endpoint_id=endpoint_id).order_by("-id")
    # Bounded before the mode is looked at: an endpoint may have nothing but sessions, and very many.
    rows = FalRequest.objects.select_related("thumbnail").without_payload()
    rows = rows.submitted().order_by("-id")
    mine = rows.filter(pk__in=newest.values("pk")[:LOOK_BACK])
    return {"endpoint_id": endpoint_id[:300], "runs": list(mine[:MOST_RUNS])}
