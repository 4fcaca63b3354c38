"""The page of one endpoint: what fal says of it, its fields, how it has done for the team."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from requests_app.catalogue import fal_models, own, store
from requests_app.catalogue.figures import figures, requests_of
from requests_app.catalogue.versions import last_change, news
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.forms.schema_form import Widget, widgets
from requests_app.models import Preset
from requests_app.presets import saving
from requests_app.views.access import membership_of, team_in_links, team_of, team_required
from requests_app.views.listing import list_url
from requests_app.views.presets import marked, shelf_of

LAST = 10  # requests on the page
MOST_FIELDS = 300  # rows of the table of fields


@team_required
@require_safe
def endpoint(request: HttpRequest, endpoint_id: str) -> HttpResponse:
    """Show the page. The fields load after it when they are not known; `?wait=1` waits for them."""
    asked = _endpoint_or_404(endpoint_id)
    if str(asked) != endpoint_id:
        return redirect(reverse("requests:endpoint", args=[str(asked)], query=request.GET))
    team, name = team_of(request), str(asked)
    entry = _entry(asked, is_patient=request.GET.get("wait") == "1")
    context = {
        "one": own.own_endpoint(team, asked),
        "entry": entry,
        "about": _about(entry),
        "fields": list(islice(_rows(entry), MOST_FIELDS)),
        "change": last_change(name),
        "news": news(request.user, team, name, now=timezone.now()),
        "broken": _broken(request, name),
        "figures": figures(team, name),
        "last": requests_of(team, name).without_payload().order_by("-id")[:LAST],
        "all_url": list_url(f"endpoint:{name}", team=team_in_links(request)),
        "may_submit": membership_of(request).may_submit,
        "here": request.path,
        "wait_url": _waiting(request),
    }
    return render(request, "endpoints/endpoint.html", context)


def _broken(request: HttpRequest, name: str) -> list[Preset]:
    """Return the team's presets that the present document refuses."""
    found = shelf_of(request).filter(endpoint_id=name)[: saving.MOST_PRESETS]
    return [preset for preset in marked(found) if preset.misfits]  # type: ignore[attr-defined]


def _waiting(request: HttpRequest) -> str:
    """Return the address that waits for fal; it names the team for a user who is in several."""
    team = team_in_links(request)
    return f"{request.path}?{urlencode({'wait': 1, **({'team': team} if team else {})})}"


def _endpoint_or_404(text: str) -> EndpointId:
    try:
        return EndpointId.parse(text)
    except InvalidEndpointId:
        raise Http404 from None


def _entry(asked: EndpointId, *, is_patient: bool) -> store.Entry | None:
    """Return what is known; a patient reader waits for fal."""
    if not is_patient:
        return store.look_up(str(asked))
    fal_models.look_for_card(str(asked), now=timezone.now())
    return store.get(asked)


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
