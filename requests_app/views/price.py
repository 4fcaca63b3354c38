"""What a call of an endpoint costs: a part of other pages, fetched after them."""

from __future__ import annotations

import time
from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.catalogue.prices import MOST_CALLS, Price, cached_price, price_of
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.uploads.rate import Rate
from requests_app.views.access import membership_of, team_required

_rate = Rate(most=60, period_s=60.0)  # questions to fal by one user, each of which takes a thread


@require_safe
@team_required
def price(request: HttpRequest) -> HttpResponse:
    """Return the price of `?endpoint_id=ID`, for `&calls=N` also what so many usually cost in all.

    Nothing while it is no id yet.
    """
    found: Price | None = None
    team_id = membership_of(request).team_id
    text = request.GET.get("calls", "")
    number = int(text) if text.isdecimal() and len(text) < 8 else 1
    calls = min(max(number, 1), MOST_CALLS)
    with suppress(InvalidEndpointId):
        endpoint = EndpointId.parse(request.GET.get("endpoint_id", "").strip())
        found = cached_price(endpoint, team_id=team_id, calls=calls)
        if found is None and not _rate.wait_s(request.user.pk, now=time.monotonic()):
            found = price_of(endpoint, team_id=team_id, calls=calls)
    return render(request, "form/_price.html", {"price": found})
