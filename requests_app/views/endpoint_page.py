"""The page of one endpoint: what fal says of it, its fields, how it has done for the team."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from requests_app.catalogue import fal_models, own, pasted, store
from requests_app.catalogue.figures import figures, requests_of
from requests_app.catalogue.versions import last_change, news
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.forms.endpoints import DocumentForm, EndpointIdForm
from requests_app.forms.schema_form import Widget, widgets
from requests_app.models import Preset, Team
from requests_app.presets import saving
from requests_app.presets.fitting import marked
from requests_app.views.access import (
    member_required,
    membership_of,
    person_of,
    team_in_links,
    team_of,
    team_required,
)
from requests_app.views.listing import list_url
from requests_app.views.presets import shelf_of

LAST = 10  # requests on the page
MOST_FIELDS = 300  # rows of the table of fields


@team_required
@require_safe
def endpoint(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """Show the page. The fields load after it when they are not known; `?wait=1` waits for them."""
    asked = _endpoint_or_404(endpoint_id)
    if str(asked) != endpoint_id:
        return redirect(reverse("requests:endpoint", args=[str(asked)], query=request.GET))
    return _page(request, asked)


@member_required
@require_POST
def set_document(request: HttpRequest) -> HttpResponse:
    """Use a pasted or uploaded document for an own app. 422: a script gets the sentences alone."""
    form = DocumentForm(request.POST, request.FILES)
    if form.is_valid():
        try:
            team, now = team_of(request), timezone.now()
            pasted.paste(team, form.endpoint, form.raw, person=person_of(request), now=now)
            messages.success(request, f"The document is used for the form of {form.endpoint}.")
            return _back(request, form.endpoint)
        except pasted.PasteRefused as refused:
            form.add_error("document", str(refused))
    if request.headers.get("HX-Request") or not hasattr(form, "endpoint"):
        return render(request, "endpoints/_document_problems.html", {"form": form}, status=422)
    return _page(request, form.endpoint, form, status=422)


@member_required
@require_POST
def drop_document(request: HttpRequest) -> HttpResponse:
    """Use fal's document again."""
    form = EndpointIdForm(request.POST)
    if not form.is_valid():
        raise Http404
    pasted.use_fals(team_of(request), form.endpoint, person=person_of(request))
    messages.success(request, "fal's own document is used again.")
    return _back(request, form.endpoint)


def _back(request: HttpRequest, endpoint: EndpointId) -> HttpResponse:
    team = team_in_links(request)
    query = {"team": team} if team else None
    target = reverse("requests:endpoint", args=[str(endpoint)], query=query)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def _page(
    request: HttpRequest, asked: EndpointId, form: DocumentForm | None = None, status: int = 200
) -> HttpResponse:
    team, name = team_of(request), str(asked)
    entry = _entry(asked, team, is_patient=request.GET.get("wait") == "1")
    one = own.own_endpoint(team, asked)
    here = reverse("requests:endpoint", args=[name])
    context = {
        "one": one,
        "form": form,
        "may_paste": one.card is None or entry is None or entry.known is None,
        "entry": entry,
        "about": _about(entry),
        "fields": list(islice(_rows(entry), MOST_FIELDS)),
        "change": last_change(name, team),
        "news": news(request.user, team, name, now=timezone.now()),
        "broken": _broken(request, name),
        "figures": figures(team, name),
        "last": requests_of(team, name)
        .without_payload()
        .shown_to(sees=membership_of(request).sees)
        .order_by("-id")[:LAST],
        "all_url": list_url(f"endpoint:{name}", team=team_in_links(request)),
        "may_submit": membership_of(request).may_submit,
        "here": here,
        "wait_url": _waiting(request, here),
    }
    return render(request, "endpoints/endpoint.html", context, status=status)


def _broken(request: HttpRequest, name: str) -> list[Preset]:
    """Return the team's presets that the present document refuses."""
    if not membership_of(request).sees:
        return []
    found = shelf_of(request).filter(endpoint_id=name)[: saving.MOST_PRESETS]
    return [preset for preset in marked(team_of(request), found) if preset.misfits]


def _waiting(request: HttpRequest, here: str) -> str:
    """Return the address that waits for fal; it names the team for a user who is in several."""
    team = team_in_links(request)
    return f"{here}?{urlencode({'wait': 1, **({'team': team} if team else {})})}"


def _endpoint_or_404(text: str) -> EndpointId:
    try:
        return EndpointId.parse(text)
    except InvalidEndpointId:
        raise Http404 from None


def _entry(asked: EndpointId, team: Team, *, is_patient: bool) -> store.Entry | None:
    """Return what is known; a patient reader waits for fal."""
    if not is_patient:
        return store.look_up(str(asked), team)
    fal_models.look_for_card(str(asked), now=timezone.now())
    return store.get(asked, team)


def _about(entry: store.Entry | None) -> dict[str, str]:
    """Return category and description as the document has them."""
    metadata = entry.known.document.metadata if entry and entry.known else {}
    given = {"category": metadata.get("category"), "description": metadata.get("about")}
    return {name: text if isinstance(text, str) else "" for name, text in given.items()}


@dataclass(frozen=True)
class FieldRow:
    """A field in the table; `inside`: how deep it lies in other fields."""

    widget: Widget
    inside: int

    @property
    def kind(self) -> str:
        return self.widget.field.kind.value.replace("_", " ")

    @property
    def choices(self) -> list[str]:
        return [option.text for option in self.widget.options]

    @property
    def range(self) -> str:
        """Return the limits; a slider's, which the form does not write out, as well."""
        low, high = self.widget.low, self.widget.high
        return f"{low} to {high}" if self.widget.has_slider else self.widget.limits


def _rows(entry: store.Entry | None) -> Iterator[FieldRow]:
    if entry is not None and entry.known is not None:
        yield from _nested(widgets(entry.known.fields), 0)


def _nested(found: Iterable[Widget], inside: int) -> Iterator[FieldRow]:
    for widget in found:
        yield FieldRow(widget, inside)
        inner: Any = widget.fields or (widget.item.fields if widget.item else ())
        yield from _nested(inner, inside + 1)
