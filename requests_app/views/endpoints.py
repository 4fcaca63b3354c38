"""The endpoints page: the team's endpoints, its favourites, and a search in fal's models."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST, require_safe

from requests_app.catalogue import fal_models, own, versions
from requests_app.fal.models_list import CATEGORIES
from requests_app.forms.endpoints import EndpointIdForm, EndpointSearch, SeenChangeForm
from requests_app.models import ModelCard, Team
from requests_app.views.access import (
    member_required,
    membership_of,
    team_in_links,
    team_of,
    team_required,
)
from requests_app.views.errors import bad_request

PAGE_SIZE = 50
MOST_CURSOR = 500  # characters
PLACES = ("own", "fal", "page")  # where a star stands: the same endpoint may be listed twice


@team_required
@require_safe
def endpoints(request: HttpRequest) -> HttpResponse:
    """Show the page. `?fal=1` waits for fal's models, for browsers without scripts."""
    return _page(request, EndpointIdForm())


@team_required
@require_safe
def models(request: HttpRequest) -> HttpResponse:
    """Return one page of fal's models as a part of that page; fetched when it is not cached."""
    return render(request, "endpoints/_models.html", _models(request, is_patient=True))


@member_required
@require_POST
def star(request: HttpRequest) -> HttpResponse:
    """Make an endpoint a favourite of the team (`favourite=1`) or none (`0`)."""
    form = EndpointIdForm(request.POST)
    if not form.is_valid():
        return _refused(request, form)
    is_favourite = request.POST.get("favourite") == "1"
    person: Any = request.user
    try:
        own.set_favourite(team_of(request), form.endpoint, is_favourite=is_favourite, person=person)
    except own.TooManyEndpoints as error:
        form.add_error("endpoint_id", str(error))
        return _refused(request, form)
    if not request.headers.get("HX-Request"):
        return redirect(_next(request))
    place = request.POST.get("place", "")
    context = {
        "endpoint_id": str(form.endpoint),
        "is_favourite": is_favourite,
        "place": place if place in PLACES else "own",
        "next": _next(request),
    }
    return render(request, "endpoints/_star.html", context)


@member_required
@require_POST
def add(request: HttpRequest) -> HttpResponse:
    """Add an endpoint to the team's list by its id: an own app, or one that was never used."""
    return _added(request, is_added=True)


@member_required
@require_POST
def remove(request: HttpRequest) -> HttpResponse:
    """Take back that an endpoint was added by hand; its requests stay, and so does a star."""
    return _added(request, is_added=False)


def _added(request: HttpRequest, *, is_added: bool) -> HttpResponse:
    form = EndpointIdForm(request.POST)
    if not form.is_valid():
        return _refused(request, form)
    person: Any = request.user
    try:
        own.set_added(team_of(request), form.endpoint, is_added=is_added, person=person)
    except own.TooManyEndpoints as error:
        form.add_error("endpoint_id", str(error))
        return _refused(request, form)
    messages.success(request, f"{'Added' if is_added else 'Removed'} {form.endpoint}.")
    return redirect(_next(request))


@team_required
@require_POST
def seen_change(request: HttpRequest) -> HttpResponse:
    """Dismiss the notice that an endpoint's fields changed at a certain time, for this user alone."""
    form = SeenChangeForm(request.POST)
    if not form.is_valid():
        return bad_request(request)
    person: Any = request.user
    versions.dismiss(person, form.endpoint, form.cleaned_data["at"])
    return HttpResponse() if request.headers.get("HX-Request") else redirect(_next(request))


def _refused(request: HttpRequest, form: EndpointIdForm) -> HttpResponse:
    if request.headers.get("HX-Request"):
        text = " ".join(str(error) for errors in form.errors.values() for error in errors)
        return HttpResponse(text, status=400, content_type="text/plain; charset=utf-8")
    return _page(request, form, status=422)


def _next(request: HttpRequest) -> str:
    """Return the page of ours that the form stood on."""
    asked = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(asked, allowed_hosts=None) and asked.startswith("/")
    return asked if is_ours else endpoints_url(request)


def _page(request: HttpRequest, form: EndpointIdForm, status: int = 200) -> HttpResponse:
    team, given = team_of(request), EndpointSearch(request.GET).values
    wanted = {name: value for name, value in given.items() if name != "favourite"}
    favourite = True if "favourite" in given else None
    found = own.in_order(own.own_endpoints(team, **wanted, favourite=favourite))
    number = _page_number(request, len(found))
    shown = own.with_times(team, found[(number - 1) * PAGE_SIZE : number * PAGE_SIZE])
    context = {
        "given": given,
        "own": shown,
        "total": len(found),
        "is_first_use": not found and not given,
        "newer_url": endpoints_url(request, **given, page=number - 1) if number > 1 else "",
        "older_url": endpoints_url(request, **given, page=number + 1)
        if number * PAGE_SIZE < len(found)
        else "",
        "everything_url": endpoints_url(request),
        "categories": _categories(given.get("category", "")),
        "form": form,
        "may_submit": membership_of(request).may_submit,
        "here": endpoints_url(request, **given),
        **_models(request, is_patient=request.GET.get("fal") == "1"),
    }
    return render(request, "endpoints/endpoints.html", context, status=status)


@dataclass(frozen=True)
class EndpointRow:
    """One of fal's models as a row."""

    card: ModelCard
    is_favourite: bool

    @property
    def endpoint_id(self) -> str:
        return self.card.endpoint_id

    @property
    def title(self) -> str:
        return self.card.title

    @property
    def category(self) -> str:
        return self.card.category

    @property
    def description(self) -> str:
        return self.card.description


def _models(request: HttpRequest, *, is_patient: bool) -> dict[str, Any]:
    """Return the context of fal's models: the page, or the address from which to load it."""
    given = EndpointSearch(request.GET).values
    cursor = request.GET.get("cursor", "")[:MOST_CURSOR]
    given.pop("favourite", None)
    ask = {**given, "cursor": cursor}
    found = fal_models.search(**ask) if is_patient else fal_models.cached(**ask)
    here = endpoints_url(request, **given, fal=1)
    if found is None:
        return {"models_url": _models_url(request, **given), "patient_url": here}
    more = {**given, "cursor": found.page.next_cursor} if found.page.next_cursor else {}
    return {
        "models": _rows(team_of(request), found),
        "problem": found.problem,
        "is_later": bool(cursor),
        "more_url": _models_url(request, **more) if more else "",
        "more_page_url": endpoints_url(request, **more, fal=1) if more else "",
        "retry_url": _models_url(request, **ask),
        "patient_url": here,
        "may_submit": membership_of(request).may_submit,
        "here": here,
    }


def _rows(team: Team, found: fal_models.Found) -> Iterable[EndpointRow]:
    names = [model.endpoint_id for model in found.page.models]
    cards, starred = own.cards_of(names), own.favourites_of(team, names)
    return [EndpointRow(cards[name], name in starred) for name in names if name in cards]


def _categories(chosen: str) -> list[str]:
    """Return those fal is known to have, and the chosen one."""
    listed = ModelCard.objects.exclude(category="").values_list("category", flat=True).distinct()
    return sorted({*CATEGORIES, *listed, *([chosen] if chosen else [])})


def _page_number(request: HttpRequest, total: int) -> int:
    text = request.GET.get("page", "1")
    number = int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else 1
    return min(max(number, 1), max(1, -(-total // PAGE_SIZE)))


def endpoints_url(request: HttpRequest, **params: Any) -> str:
    """Return the address of this page; it names the team for a user who is in several."""
    return _address("requests:endpoints", request, params)


def _models_url(request: HttpRequest, **params: Any) -> str:
    return _address("requests:models", request, params)


def _address(name: str, request: HttpRequest, params: dict[str, Any]) -> str:
    team = team_in_links(request)
    query = urlencode(
        {**({"team": team} if team else {}), **{k: v for k, v in params.items() if v}}
    )
    return reverse(name) + (f"?{query}" if query else "")
