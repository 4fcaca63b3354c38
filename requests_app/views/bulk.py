"""Bulk actions: what is asked before one, the list of them, and the page of one."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from requests_app.bulk.making import Order, TooMany, make
from requests_app.bulk.qualify import MOST, Act, preview
from requests_app.display.marks import offered
from requests_app.forms.bulk import MATCHING, BulkForm, ConfirmForm
from requests_app.forms.submit import new_token
from requests_app.models import (
    FOR_MANAGERS,
    HIDDEN,
    WITH_TAGS,
    BulkAction,
    BulkItem,
    BulkState,
    BulkVerb,
    FalRequest,
    Outcome,
)
from requests_app.search import told_search
from requests_app.views.access import (
    member_required,
    membership_of,
    person_of,
    team_in_links,
    team_of,
    team_required,
)
from requests_app.views.listing import list_url

ASK_ABOVE = 100  # requests: more are confirmed by typing their number
MOST_LISTED = 100
ITEMS_ON_PAGE = 50
GREW = "More requests qualify now than the page said. Look at the numbers again."


@member_required
@require_POST
def ask_bulk(request: HttpRequest) -> HttpResponse:
    """Say what the action would do to the chosen requests; nothing is done."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        return _refused(request, form)
    _ensure_allowed(request, form)
    return _question(request, form)


def _ensure_allowed(request: HttpRequest, form: BulkForm) -> None:
    """Raises PermissionDenied."""
    if form.cleaned_data["verb"] in FOR_MANAGERS and not membership_of(request).may_manage:
        raise PermissionDenied


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def bulk_actions(request: HttpRequest) -> HttpResponse:
    """List the team's newest actions. A POST starts one that was confirmed."""
    if request.method == "POST":
        return _start(request)
    found = _mine(request).order_by("-id")[:MOST_LISTED]
    return render(request, "bulk/bulk_actions.html", {"actions": list(found)})


@member_required
def _start(request: HttpRequest) -> HttpResponse:
    form = ConfirmForm(request.POST)
    if not form.is_valid():
        return _refused(request, form)
    known = BulkAction.objects.filter(team=team_of(request), token=form.cleaned_data["token"])
    if bulk := known.first():  # sent twice
        return redirect(url_of(request, bulk))
    _ensure_allowed(request, form)
    if form.tag_problem:
        return _question(request, form, problem=form.tag_problem)
    rows, verb = _rows(request, form), BulkVerb(form.cleaned_data["verb"])
    expected = form.cleaned_data["expected"]
    if preview(rows, Act(verb, form.tag_names, request.user.pk)).eligible > expected:
        return _question(request, form, problem=GREW)
    if _is_typed(form, expected) and form.typed != str(expected):
        return _question(request, form, problem=f"Type {expected}, the number of requests.")
    order = Order(
        verb,
        rows,
        search="" if form.is_by_hand else str(form.search),
        by_hand=form.is_by_hand,
        reason=form.cleaned_data["reason"].strip(),
        token=form.cleaned_data["token"],
        tags=form.tag_names,
        at_fal=form.cleaned_data["at_fal"],
    )
    try:
        bulk = make(order, team=team_of(request), person=person_of(request), now=timezone.now())
    except TooMany as error:
        return _question(request, form, problem=str(error))
    return redirect(url_of(request, bulk))


def _is_typed(form: BulkForm, count: int) -> bool:
    """Whether the number is typed to confirm: of many, and of all that a search deletes for good."""
    deletes_found = form.cleaned_data["verb"] in FOR_MANAGERS and not form.is_by_hand
    return count > ASK_ABOVE or (deletes_found and count > 0)


def _rows(request: HttpRequest, form: BulkForm) -> Any:
    return form.rows_of(membership_of(request))


def _refused(request: HttpRequest, form: BulkForm) -> HttpResponse:
    """Back to the list, with the reason; its search is kept."""
    for sentences in form.errors.values():
        for sentence in sentences:
            messages.error(request, str(sentence))
    return redirect(list_url(q=request.POST.get("q", ""), team=team_in_links(request)))


def _question(request: HttpRequest, form: BulkForm, *, problem: str = "") -> HttpResponse:
    values = form.cleaned_data
    if values.get("newest") is None and values["scope"] == MATCHING:
        newest = FalRequest.objects.filter(team=team_of(request)).order_by("-pk")
        values["newest"] = newest.values_list("pk", flat=True).first() or 0
    verb = BulkVerb(values["verb"])
    seen = preview(_rows(request, form), Act(verb, person_pk=request.user.pk))
    context = {
        "verb": verb,
        "needs_tags": verb in WITH_TAGS,
        "may_ask_fal": verb in FOR_MANAGERS,
        "at_fal": values.get("at_fal", False),
        "typed_tags": values.get("tags", ""),
        "offered": offered(team_of(request).pk),
        "scope": values["scope"],
        "ids": values["id"],
        "search": str(form.search),
        "newest": values["newest"],
        "seen": seen,
        "asks": _is_typed(form, seen.eligible),
        "is_too_many": seen.eligible > MOST,
        "most": MOST,
        "token": new_token(),
        "reason": values.get("reason", ""),
        "problem": problem,
        "back_url": list_url(q=values["q"], team=team_in_links(request)),
    }
    return render(request, "bulk/ask.html", context, status=422 if problem else 200)


@team_required
@require_safe
def bulk_action(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Show an action: how far it is, and what came of each request."""
    return render(
        request, "bulk/bulk_action.html", _context(request, get_bulk_or_404(request, bulk_id))
    )


@team_required
@require_safe
def bulk_live(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Return what of the page changes while the action is at work."""
    found = get_bulk_or_404(request, bulk_id)
    if found.state != request.GET.get("was"):  # its buttons are others now
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "bulk/_live.html", _context(request, found))


def _context(request: HttpRequest, bulk: BulkAction) -> dict[str, Any]:
    outcome = request.GET.get("outcome", "")
    outcome = outcome if outcome in Outcome.values else ""
    text = request.GET.get("after", "")
    after = int(text) if text.isdecimal() and len(text) < 18 else 0
    items = bulk.items.filter(pk__gt=after).select_related("request", "repeat")
    items = items.filter(outcome=outcome) if outcome else items
    some = list(
        items.order_by("pk").only(
            "outcome", "note", "request__public_id", "request__endpoint_id", "request__summary",
            "repeat__public_id",
        )[: ITEMS_ON_PAGE + 1]
    )  # fmt: skip
    was = {"was": bulk.state, "outcome": outcome, "after": after, "team": bulk.team_id}
    sees = membership_of(request).sees
    told = told_search(bulk.search, sees=sees)
    for item in some if not sees else ():
        conceal_item(item)
    counts = {
        Outcome.WAITING: bulk.waiting,
        Outcome.DONE: bulk.succeeded,
        Outcome.SKIPPED: bulk.skipped,
        Outcome.FAILED: bulk.failed,
    }
    return {
        "bulk": bulk,
        "live_url": f"{reverse('requests:bulk_live', args=[bulk.public_id])}?{urlencode(was)}",
        "list_url": "" if told is None else list_url(q=told, team=team_in_links(request)),
        "hidden": "" if sees else HIDDEN,
        "outcome": outcome,
        "after": after,
        "items": some[:ITEMS_ON_PAGE],
        "next_after": some[ITEMS_ON_PAGE - 1].pk if len(some) > ITEMS_ON_PAGE else None,
        "outcomes": list(counts.items()),
    }


def conceal_item(item: BulkItem) -> None:
    """Take out what of a request and of its failure may quote an input."""
    if item.request:
        item.request.is_hidden = True
    if item.outcome == Outcome.FAILED:
        item.note = ""


def _mine(request: HttpRequest) -> QuerySet[BulkAction]:
    found = BulkAction.objects.filter(team=team_of(request)).exclude(state=BulkState.STORING)
    return found.select_related("person")


def get_bulk_or_404(request: HttpRequest, bulk_id: UUID) -> BulkAction:
    """Return the team's action; a foreign one does not exist."""
    return get_object_or_404(_mine(request), public_id=bulk_id)


def url_of(request: HttpRequest, bulk: BulkAction) -> str:
    """Return the address of an action's page, in its team."""
    return f"{reverse('requests:bulk_action', args=[bulk.public_id])}?team={team_of(request).pk}"
