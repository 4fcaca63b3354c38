"""Batches: the list, the form, a batch's page and what of it changes while it runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from requests_app import audit
from requests_app.batches.checking import cells, filled
from requests_app.batches.making import TooManyUnstarted, check_rows, make
from requests_app.batches.newest import SHOWN, conceal_item, newest_ended
from requests_app.batches.results import results_response
from requests_app.batches.sheet import BadSheet
from requests_app.display.option_facts import option_facts
from requests_app.forms.batch import SOURCES, BatchForm
from requests_app.forms.preset import values_of_preset
from requests_app.forms.suggestions import known_endpoints
from requests_app.models import (
    HIDDEN,
    Batch,
    BatchItem,
    BatchState,
    FalRequest,
    ItemState,
    Preset,
    Status,
)
from requests_app.presets.template import Template, text_of
from requests_app.views.access import (
    member_required,
    membership_of,
    person_of,
    team_in_links,
    team_of,
    team_required,
)
from requests_app.views.listing import list_url
from requests_app.views.presets import get_preset_or_404

MOST_LISTED = 100
ITEMS_ON_PAGE = 50
EXAMPLES = 3
CELL = 200  # characters of a value that a page shows
ASK_ABOVE = 100  # rows: more are started by typing their number


@team_required
@require_safe
def batches(request: HttpRequest) -> HttpResponse:
    """List the team's newest batches."""
    found = mine(request).exclude(state=BatchState.STORING).order_by("-id")[:MOST_LISTED]
    return render(request, "batches/batches.html", {"batches": list(found)})


@member_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_batch(request: HttpRequest) -> HttpResponse:
    """Show the form. A POST checks all rows and stores them; nothing is sent before Start."""
    preset = _preset(request)
    if request.method != "POST":
        first: dict[str, Any] = {
            "source": "file",
            "concurrency": 10,
            "mode": "queue",
            "input": "{}",
        }
        if preset is not None:
            first |= {**values_of_preset(preset), "preset": preset.public_id, "name": preset.name}
        return _form(request, BatchForm(initial=first), preset)
    form = BatchForm(request.POST, request.FILES, preset=preset)
    if not form.is_valid():
        return _form(request, form, preset, status=422)
    try:
        checked = check_rows(form.plan, form.sheet, team_of(request))
        if checked.problems:
            return _form(request, form, preset, status=422, checked=checked)
        batch = make(
            form.plan, checked, team=team_of(request), person=person_of(request), now=timezone.now()
        )
    except (BadSheet, TooManyUnstarted) as error:
        return _form(request, form, preset, status=422, bad_sheet=str(error))
    target = url_of(request, batch)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": target})
    return redirect(target)


def _preset(request: HttpRequest) -> Preset | None:
    said = (request.POST if request.method == "POST" else request.GET).get("preset", "")
    if not said:
        return None
    try:
        return get_preset_or_404(request, UUID(said))
    except ValueError:
        raise Http404 from None


def _form(
    request: HttpRequest, form: BatchForm, preset: Preset | None, *, status: int = 200, **more: Any
) -> HttpResponse:
    """Show the form; to htmx only what is wrong, so that the chosen file stays chosen."""
    context = {
        "form": form,
        "preset": preset,
        "sources": SOURCES,
        "endpoints": known_endpoints(team_of(request)),
        **more,
    }
    is_part = status == 422 and request.headers.get("HX-Request")
    template = "batches/_problems.html" if is_part else "batches/new.html"
    return render(request, template, context, status=status)


@team_required
@require_safe
def batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Show a batch: before its start what would be sent, afterwards how far it is."""
    found = get_batch_or_404(request, batch_id)
    return render(request, "batches/batch.html", context_of(request, found))


@team_required
@require_safe
def batch_live(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Return what of the page changes while the batch is at work."""
    found = get_batch_or_404(request, batch_id)
    if found.state != request.GET.get("was"):  # its actions are others now
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "batches/_live.html", context_of(request, found))


def context_of(request: HttpRequest, batch: Batch) -> dict[str, Any]:
    """Return what the page of a batch shows."""
    state = request.GET.get("state", "")
    state = state if state in ItemState.values else ""
    after = _number(request.GET.get("after", ""))
    items = batch.items.filter(number__gt=after)
    items = items.filter(state=state) if state else items
    some = list(
        items.order_by("number").select_related("request").only(*SHOWN)[: ITEMS_ON_PAGE + 1]
    )
    sees = membership_of(request).sees
    for item in some if not sees else ():
        conceal_item(item)
    uncertain = FalRequest.objects.filter(
        batch_item__batch=batch, batch_item__state=ItemState.OPEN, status=Status.UNCERTAIN
    )
    was = {"was": batch.state, "state": state, "after": after, "team": batch.team_id}
    live_url = reverse("requests:batch_live", args=[batch.public_id])
    shows_input = sees and batch.state == BatchState.READY
    return {
        "batch": batch,
        "live_url": f"{live_url}?{urlencode(was)}",
        "state": state,
        "after": after,
        "rows": [_row(batch, item) for item in some[:ITEMS_ON_PAGE]],
        "next_after": some[ITEMS_ON_PAGE - 1].number if len(some) > ITEMS_ON_PAGE else None,
        "states": [(one, getattr(batch, one.value)) for one in ItemState],
        "uncertain": uncertain.count() if batch.open else 0,
        "hidden": "" if sees else HIDDEN,
        "newest": newest_ended(batch) if sees else [],
        "examples": list(_examples(batch)) if shows_input else [],
        "options": option_facts(batch.options) if shows_input else [],
        "asks": batch.total > ASK_ABOVE,
        "list_url": list_url(q=f"batch:{batch.public_id}", team=team_in_links(request)),
    }


def _row(batch: Batch, item: BatchItem) -> dict[str, Any]:
    tokens = cells(batch.columns, item.values)
    columns = batch.columns[:8] if item.values else []
    values = [(name, _short(tokens.get(name, ""))) for name in columns]
    return {"item": item, "values": values, "request": item.request}


def _short(token: str) -> str:
    text = text_of(token) if token else ""
    return text if len(text) <= CELL else f"{text[:CELL]}…"


def _examples(batch: Batch) -> Iterator[str]:
    first = batch.items.order_by("number").values_list("values", "readings")[:EXAMPLES]
    return filled(batch.columns, first, Template(batch.text))


@team_required
@require_safe
def batch_results(request: HttpRequest, batch_id: UUID) -> Any:
    """Download the rows with their outcomes: `?format=csv`, `jsonl` or `zip`."""
    found = get_batch_or_404(request, batch_id)
    format = request.GET.get("format", "csv")
    reply = results_response(found, format)
    if reply is None:
        raise Http404
    audit.note_export("batch", found.name or str(found.public_id), format, team_id=found.team_id)
    return reply


def mine(request: HttpRequest) -> QuerySet[Batch]:
    """Return the batches of the page's team."""
    rows = Batch.objects.filter(team=team_of(request)).defer("text").marking_removed()
    return rows.select_related("person", "started_by")


def get_batch_or_404(request: HttpRequest, batch_id: UUID) -> Batch:
    """Return the team's batch; a foreign one does not exist."""
    found = mine(request).exclude(state=BatchState.STORING).select_related("preset")
    return get_object_or_404(found, public_id=batch_id)


def url_of(request: HttpRequest, batch: Batch) -> str:
    """Return the address of a batch's page, in its team."""
    return f"{reverse('requests:batch', args=[batch.public_id])}?team={team_of(request).pk}"


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
