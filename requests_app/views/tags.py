"""Tags and the star of a request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from requests_app import lifecycle
from requests_app.display.marks import offered
from requests_app.models import FalRequest, Star
from requests_app.rules.tag_names import BadTags, tag_key, typed_tags
from requests_app.views.access import (
    get_actable_or_404,
    get_request_or_404,
    may_act_on,
    person_of,
)
from requests_app.views.actions import local_address, row_url
from requests_app.views.login import login_required

ON_THE_PAGE = "page"  # where the form stands: on the request's page, or in the list's dialog


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def request_tags(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a request's tags; a POST adds those that are typed, or takes one off."""
    if request.method != "POST":
        return _show(request, _row(request, public_id))
    row = get_actable_or_404(request, public_id)
    typed = request.POST.get("add", "")
    problem = ""
    try:
        _change(request, row, typed, request.POST.get("remove", ""))
    except BadTags as error:
        problem = str(error)
    row = _row(request, public_id)
    if not problem:
        typed = ""
    if request.headers.get("HX-Request"):
        return _part(request, row, problem, typed)
    if problem:
        return _show(request, row, problem, typed)
    return redirect(row_url(row) if request.POST.get("place") == ON_THE_PAGE else request.path)


def _row(request: HttpRequest, public_id: UUID) -> FalRequest:
    return get_request_or_404(request.user, public_id, full=False, may_be_hidden=True)


def _change(request: HttpRequest, row: FalRequest, typed: str, removed: str) -> None:
    """Raises BadTags."""
    person, now = person_of(request), timezone.now()
    if removed:
        lifecycle.remove_tags(row.pk, [tag_key(removed)], person=person, now=now)
        return
    names = typed_tags(typed)
    if not names:
        raise BadTags("Type a tag first.")
    lifecycle.add_tags(row.pk, names, person=person, now=now)


def _part(request: HttpRequest, row: FalRequest, problem: str, typed: str) -> HttpResponse:
    """Return what a script puts in the place of the tags it has sent a change of."""
    if request.POST.get("place") != ON_THE_PAGE:
        response = render(request, "tags/_editor.html", _context(request, row, problem, typed))
        return _with(response, {"request:acted": {"id": str(row.public_id)}})
    if problem:
        return _with(HttpResponse(status=204), {"toast": {"text": problem, "error": True}})
    response = render(request, "tags/_place.html", _context(request, row))
    return _with(response, {"request:tagged": {"id": str(row.public_id)}})


def _show(
    request: HttpRequest, row: FalRequest, problem: str = "", typed: str = ""
) -> HttpResponse:
    template = (
        "tags/_editor.html" if request.headers.get("HX-Request") else "tags/request_tags.html"
    )
    context = _context(request, row, problem, typed)
    return render(request, template, context, status=422 if problem else 200)


def _context(
    request: HttpRequest, row: FalRequest, problem: str = "", typed: str = ""
) -> dict[str, object]:
    return {
        "row": row,
        "may_act": may_act_on(request, row),
        "offered": offered(row.team_id),
        "problem": problem,
        "typed": typed,
    }


def marks_of(request: HttpRequest, row: FalRequest) -> dict[str, object]:
    """Return what the page of a request shows of its star and tags."""
    starred = Star.objects.filter(user=request.user.pk, request=row).exists()
    return {"starred": starred, "offered": offered(row.team_id)}


@login_required
@require_POST
def star_request(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Star a request for this user, who may be a viewer, or take the star off (`on=0`)."""
    row = _row(request, public_id)
    is_on = request.POST.get("on") != "0"
    lifecycle.set_star(row.pk, person=person_of(request), is_on=is_on)
    if request.headers.get("HX-Request"):
        news = {"request:starred": {"id": str(row.public_id), "on": is_on}}
        return _with(HttpResponse(status=204), news)
    messages.info(request, "Starred." if is_on else "The star is off.")
    return redirect(local_address(request, request.POST.get("next")) or row_url(row))


def _with(response: HttpResponse, news: Mapping[str, object]) -> HttpResponse:
    response["HX-Trigger"] = json.dumps(news)
    return response
