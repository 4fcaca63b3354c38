"""The page that deletes a team: it says what goes, and asks for the team's name."""

from __future__ import annotations

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from requests_app.models import Role
from requests_app.teams import deleting
from requests_app.teams.choice import SESSION_KEY
from requests_app.teams.people import TeamChangeRefused
from requests_app.views.access import membership_of, team_required

MOST_TYPED = 200


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete_team(request: HttpRequest) -> HttpResponse:
    """GET asks with what goes; POST deletes. What was typed stays when it is not the name."""
    mine = membership_of(request)
    if mine.role != Role.OWNER:
        raise PermissionDenied("Only an owner of the team may do this.")
    typed, cancels = request.POST.get("name", "")[:MOST_TYPED], "cancel" in request.POST
    fault = ""
    if request.method == "POST":
        try:
            deleting.begin(mine, typed, cancels=cancels, now=timezone.now())
        except TeamChangeRefused as refused:
            fault = str(refused)
        else:
            request.session.pop(SESSION_KEY, None)
            messages.success(request, f"{mine.team.name} is deleted. Its data is removed now.")
            return redirect("requests:list")
    context = {
        "contents": deleting.contents_of(mine.team, timezone.now()),
        "why_kept": deleting.why_kept(mine.team),
        "typed": typed,
        "cancels": cancels,
        "fault": fault,
    }
    return render(request, "teams/delete_team.html", context, status=422 if fault else 200)
