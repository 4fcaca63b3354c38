"""The fault lab of a token, on the settings page."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from requests_app.forms.fault_lab import FaultForm
from requests_app.models import ApiToken
from requests_app.teams import fault_lab
from requests_app.views.access import membership_of, team_required
from requests_app.views.settings import page


@team_required
@require_POST
def start_faults(request: HttpRequest, pk: int) -> HttpResponse:
    """Have the calls of a token fail on purpose; 422 with the form when something is wrong."""
    token = _token(request, pk)
    form = FaultForm(request.POST, token=token)
    if not form.is_valid():
        return page(request, status=422, fault_form=form)
    minutes = form.cleaned_data["minutes"]
    fault_lab.start(membership_of(request), token, form.rules(), minutes, timezone.now())
    messages.warning(request, f"Calls with the token {token.shown} go wrong for {minutes} minutes.")
    return redirect("requests:settings")


@team_required
@require_POST
def stop_faults(request: HttpRequest, pk: int) -> HttpResponse:
    """Have them work again."""
    token = _token(request, pk)
    fault_lab.stop(membership_of(request), token)
    messages.success(request, f"Calls with the token {token.shown} work again within seconds.")
    return redirect("requests:settings")


def _token(request: HttpRequest, pk: int) -> ApiToken:
    token = fault_lab.token_of(membership_of(request), pk)
    if token is None:
        raise Http404
    return token
