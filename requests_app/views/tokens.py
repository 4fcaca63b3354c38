"""API tokens on the settings page: a new one is shown in the reply to the POST that created it, once."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from requests_app.forms.token import TokenForm
from requests_app.teams import tokens
from requests_app.teams.people import TeamChangeRefused
from requests_app.views.access import membership_of, team_required
from requests_app.views.settings import page


@team_required
@require_POST
def make_token(request: HttpRequest) -> HttpResponse:
    """Create a token for this team, and show it once: sent again, the same form makes no other."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return page(request, status=422, token_form=form)
    try:
        token = tokens.issue(membership_of(request), form.wanted(now=timezone.now()))
    except tokens.AlreadyMade as refused:
        messages.info(request, str(refused))
        return redirect("requests:settings")
    except TeamChangeRefused as refused:
        form.add_error("name", str(refused))
        return page(request, status=422, token_form=form)
    return page(request, status=201, new_token=token)


@team_required
@require_POST
def revoke_token(request: HttpRequest, pk: int) -> HttpResponse:
    """Revoke a token of the user's own, or as an owner or admin one of the team's."""
    try:
        if not tokens.revoke(membership_of(request), pk, now=timezone.now()):
            raise Http404
    except TeamChangeRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, "The token is revoked.")
    return redirect("requests:settings")
