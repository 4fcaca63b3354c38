"""The realtime page, and the messages a team saves for it."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.db.models.functions import Left
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from requests_app.display.inert import INERT
from requests_app.fal import EndpointId, InvalidEndpointId
from requests_app.fal.options import REALTIME
from requests_app.forms.option_fields import OptionForm, initial_of
from requests_app.forms.realtime import MessageForm, first_session
from requests_app.forms.suggestions import known_endpoints
from requests_app.models import HIDDEN, FalRequest, Mode, Preset
from requests_app.presets import saving
from requests_app.views.access import (
    get_request_or_404,
    in_team_of_source,
    member_required,
    membership_of,
    team_of,
    team_required,
)

MOST_LISTED = 8  # sessions beside the workbench
BEGINNING = 100  # characters of a saved message that are loaded for the list


@in_team_of_source
@team_required
@require_safe
def realtime(request: HttpRequest) -> HttpResponse:
    """Show the workbench; `?again=<uuid>` starts from an earlier session, `?endpoint=` from an
    endpoint. Who may not see inputs and outputs gets the sessions alone.
    """
    mine = membership_of(request)
    if not mine.sees:
        hidden = {"hidden": HIDDEN, "sessions": _sessions(request)}
        return render(request, "realtime/realtime.html", hidden)
    source, team = _source(request), mine.team
    first = first_session(request.GET.get("endpoint", ""), source, team)
    context = {
        "first": first,
        "option_form": OptionForm(
            mode=REALTIME, initial=initial_of(source.options if source else {}, mode=REALTIME)
        ),
        "source": source,
        "endpoints": known_endpoints(team),
        "may_submit": mine.may_submit,
        "sessions": _sessions(request),
    }
    return render(request, "realtime/realtime.html", context)


def _source(request: HttpRequest) -> FalRequest | None:
    """Return the session to start from, if the user may see it."""
    try:
        source = get_request_or_404(request.user, UUID(request.GET.get("again", "")), full=False)
    except (ValueError, Http404):
        return None
    return source if source.mode == Mode.REALTIME else None


@team_required
@require_safe
def sessions(request: HttpRequest) -> HttpResponse:
    """List the team's newest sessions; open ones can be watched."""
    return render(request, "realtime/_sessions.html", {"sessions": _sessions(request)})


def _sessions(request: HttpRequest) -> list[FalRequest]:
    rows = FalRequest.objects.filter(team=team_of(request), mode=Mode.REALTIME)
    rows = rows.shown_to(sees=membership_of(request).sees)
    return list(rows.without_payload().select_related("person").order_by("-id")[:MOST_LISTED])


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def messages(request: HttpRequest) -> HttpResponse:
    """List the messages saved for `endpoint_id`; POST saves one (422: the same list and the error)."""
    if request.method != "POST":
        return _kept(request, request.GET.get("endpoint_id", ""))
    if not membership_of(request).may_submit:
        raise PermissionDenied
    form = MessageForm(request.POST, team=team_of(request))
    is_new = form.keep(request.user, now=timezone.now()) if form.is_valid() else None  # type: ignore[arg-type]
    if is_new is None:
        return _kept(request, request.POST.get("endpoint_id", ""), status=422, form=form)
    said = f"{'Saved' if is_new else 'Replaced'} “{form.cleaned_data['name']}”."
    return _kept(request, form.cleaned_data["endpoint_id"], said=said)


@team_required
@require_safe
def message(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the text of a saved message: the list has only its beginning."""
    found = get_object_or_404(Preset.objects.messages(), team=team_of(request), pk=pk)
    return HttpResponse(found.text, content_type="text/plain; charset=utf-8", headers=INERT)


@member_required
@require_POST
def delete_message(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a message of the team; the answer offers to undo it."""
    message = get_object_or_404(Preset.objects.messages(), team=team_of(request), pk=pk)
    saving.delete(message)
    # Not as fields beside the composer's: "Save this message" sends all fields there are.
    undo = {"endpoint_id": message.endpoint_id, "name": message.name, "text": message.text}
    said = f"Deleted “{message.name}”."
    return _kept(request, message.endpoint_id, said=said, deleted=json.dumps(undo))


def _kept(
    request: HttpRequest, endpoint: str, *, status: int = 200, **context: Any
) -> HttpResponse:
    try:
        endpoint = str(EndpointId.parse(endpoint))
    except InvalidEndpointId:
        endpoint = ""  # a half-typed id
    kept = Preset.objects.messages().filter(team=team_of(request), endpoint_id=endpoint)
    context |= {
        "kept": _for_list(kept) if endpoint else [],
        "endpoint": endpoint,
        "may_submit": membership_of(request).may_submit,
    }
    return render(request, "realtime/_kept_messages.html", context, status=status)


def _for_list(kept: QuerySet[Preset]) -> QuerySet[Preset]:
    """Load the beginning of each text: whole texts are up to 256 k characters, two hundred times."""
    return kept.select_related("saved_by").defer("text").annotate(beginning=Left("text", BEGINNING))
