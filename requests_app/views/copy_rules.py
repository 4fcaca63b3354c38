"""Own copies of media: owners and admins say what the team keeps."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from requests_app.copies import rules
from requests_app.forms.copies import CopyRulesForm
from requests_app.views.access import team_of
from requests_app.views.settings import manages, page


@manages
def set_copies(request: HttpRequest) -> HttpResponse:
    """Change the rules; older requests are looked at again in the background."""
    form = CopyRulesForm(request.POST)
    if not form.is_valid():
        return page(request, status=422, copies_form=form)
    choice = form.choice()
    rules.choose(team_of(request), choice, timezone.now())
    if choice.is_on:
        words = "Media are kept here. Those of older requests are fetched in the background, as far as fal has them."
    else:
        words = "No further media are kept. What is here stays until its requests go."
    messages.success(request, words)
    return redirect("requests:settings")
