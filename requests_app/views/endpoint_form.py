"""The form of an endpoint, made from its schema: a part of the page for a new request."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from dashboard.local_apps import app_of
from requests_app.catalogue import store
from requests_app.catalogue.fields import Field
from requests_app.catalogue.pointer import pointer
from requests_app.catalogue.seeds import seed_field
from requests_app.catalogue.validation import InputProblem
from requests_app.catalogue.versions import news
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.fal.error_bodies import parse_error
from requests_app.forms.schema_form import groups
from requests_app.models import FalRequest, Status, Team
from requests_app.presets.template import InvalidTemplate, Template
from requests_app.request_input import Draft
from requests_app.views.access import member_required, team_of


@member_required
@require_safe
def fields(request: HttpRequest) -> HttpResponse:
    """The fields of `?endpoint=ID`, fetched when they are not known; a sentence when there are none."""
    name = request.GET.get("endpoint", "")
    try:
        entry = store.get(EndpointId.parse(name), team_of(request))
    except InvalidEndpointId as error:
        entry = store.Entry(name[:300], None, str(error))
    template = "form/_fields.html" if entry.known else "form/_no_fields.html"
    return render(request, template, {**context_of(entry), **_news(request, entry)})


def known_fields(request: HttpRequest, endpoint_id: str) -> dict[str, Any] | None:
    """The context of the fields when the document is known; nothing is fetched.

    Not of an own app: its document is fetched with the form, for it changes while the app is written.
    """
    if app_of(endpoint_id):
        return None
    entry = store.look_up(endpoint_id, team_of(request))
    return {**context_of(entry), **_news(request, entry)} if entry and entry.known else None


def _news(request: HttpRequest, entry: store.Entry) -> dict[str, Any]:
    """The notice of a changed schema."""
    if entry.known is None:
        return {"news": None}
    name, now = entry.endpoint_id, timezone.now()
    return {"news": news(request.user, team_of(request), name, now=now)}


def context_of(entry: store.Entry) -> dict[str, Any]:
    """What the templates of the form need."""
    found = entry.known.fields if entry.known else ()
    left_out = entry.known.form.left_out if entry.known else 0
    main, more = groups(found)
    return {
        "entry": entry,
        "main": main,
        "more": more,
        "count": len(main) + len(more),
        "left_out": left_out,
        "seed": seed_field(found),
    }


def known_seed(endpoint_id: str, team: Team) -> Field | None:
    """The field that several runs may differ in; None when the known schema has none."""
    entry = store.look_up(endpoint_id, team)
    return seed_field(entry.known.fields) if entry and entry.known else None


def input_problems(draft: Draft, team: Team) -> list[InputProblem]:
    """What the known schema has against the input, and variables without a value; nothing is fetched, an
    unknown schema has nothing against it.
    """
    entry = store.look_up(draft.endpoint_id, team)
    known = entry.known if entry else None
    found = known.validator.problems(json.loads(draft.input_text)) if known else []
    return [*_unfilled(draft.input_text), *found]


def _unfilled(input_text: str) -> list[InputProblem]:
    """A variable that is sent as it stands is paid for and hardly ever meant."""
    try:
        uses = Template(input_text).uses
    except InvalidTemplate:  # too many, or in a name: not of a preset
        return []
    return [
        InputProblem(path, f"The variable {{{{{name}}}}} has no value yet.") for path, name in uses
    ]


def fal_problems(row: FalRequest) -> list[InputProblem]:
    """What fal had against the input of a request that it refused, field by field."""
    if not (row.status == Status.FAILED and row.was_user_error and row.output):
        return []
    error = parse_error(row.error_code or 0, {}, bytes(row.output))
    return [InputProblem(pointer(_in_input(field.loc)), field.msg) for field in error.fields]


def _in_input(loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Drop the "body" in which fal wraps each place."""
    return loc[1:] if loc[:1] == ("body",) else loc
