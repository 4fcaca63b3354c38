"""Invitations to a user who has an account: no one joins a team without consent."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.teams import invitations
from requests_app.teams.people import TeamChangeRefused
from requests_app.views.login import login_required
from requests_app.views.team_guard import teamless


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """List the open invitations, with Accept and Decline."""
    found = invitations.open_for(request.user, now=timezone.now())  # type: ignore[arg-type]
    return render(request, "teams/invitations.html", {"invitations": found})


@teamless
@login_required
@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Join the team. The chosen team stays the chosen one."""
    try:
        team = invitations.accept_offer(pk, request.user, now=timezone.now())  # type: ignore[arg-type]
    except invitations.InvitationDead as error:
        raise Http404 from error
    except TeamChangeRefused as refused:
        messages.error(request, str(refused))
        return redirect("requests:invitations")
    messages.success(request, f"You are a member of {team.name} now.")
    return redirect("requests:invitations")


@teamless
@login_required
@require_POST
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    """Decline; the team is not told."""
    if not invitations.decline(pk, request.user, now=timezone.now()):  # type: ignore[arg-type]
        raise Http404
    messages.info(request, "The invitation is declined.")
    return redirect("requests:invitations")
