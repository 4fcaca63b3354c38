"""What the search box offers while a term is typed."""

from __future__ import annotations

import time

from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

from requests_app.search import Scope
from requests_app.search.completion import complete
from requests_app.uploads.rate import Rate
from requests_app.views.access import membership_of, team_required

_rate = Rate(most=600, period_s=60.0)  # by one user: fast typing is ten letters a second


@require_safe
@team_required
def completions(request: HttpRequest) -> JsonResponse:
    """Return `{"items": [{"text": …, "about": …}]}` for `?typed=<the term so far>`, from the team's own rows."""
    if _rate.wait_s(request.user.pk, now=time.monotonic()):
        return JsonResponse({"detail": "Too many at once."}, status=429)
    me = membership_of(request)
    scope = Scope(me.team_id, request.user.get_username(), me.sees)
    found = complete(scope, request.GET.get("typed", ""))
    return JsonResponse({"items": [{"text": one.text, "about": one.about} for one in found]})
