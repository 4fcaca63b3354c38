"""What a call of an endpoint costs: a part of other pages, fetched after them."""

from __future__ import annotations

from contextlib import suppress

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from requests_app.catalogue.prices import Price, price_of
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.views.access import team_required


@require_safe
@team_required
def price(request: HttpRequest) -> HttpResponse:
    """Return the price of `?endpoint_id=ID`, for `&calls=N` also what so many usually cost in all.

    Nothing while it is no id yet.
    """
    found: Price | None = None
    calls = request.GET.get("calls", "")
    number = int(calls) if calls.isdecimal() and len(calls) < 8 else 1
    with suppress(InvalidEndpointId):
        endpoint = EndpointId.parse(request.GET.get("endpoint_id", "").strip())
        found = price_of(endpoint, calls=max(number, 1))
    return render(request, "form/_price.html", {"price": found})
