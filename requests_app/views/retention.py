"""The settings page of retention: days, a dry run before they are stored, and the last runs."""

from __future__ import annotations

from copy import copy
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from requests_app.forms.retention import RetentionForm
from requests_app.models import ASKED_AGAIN, FalDeletion, FalDeletionState, RetentionRun, Team
from requests_app.upkeep import retention as rules
from requests_app.upkeep import retention_runs
from requests_app.upkeep.retention import RetentionKind
from requests_app.views.access import membership_of, person_of, team_required

SHOWN_RUNS = 7
WORDS = {
    "payload": "Input, output, logs and media",
    "frames": "Events and messages",
    "rows": "Whole requests",
    "copies": "Own copies of media",
    "values": "Values of batches",
}
HELP = {
    "payload": "The request stays in the list, with its times, status and cost.",
    "frames": "Of streams and realtime sessions.",
    "rows": "Nothing of them stays but the figures of the overview and the audit trail.",
}


@team_required
@require_http_methods(["GET", "HEAD", "POST"])
def retention(request: HttpRequest) -> HttpResponse:
    """GET shows the days; with days in the query what these would remove. POST stores them."""
    _ensure_managing(request)
    team = membership_of(request).team
    is_dry = any(kind in request.GET for kind in RetentionKind)
    if request.method == "POST":
        return _store(request, team)
    form = RetentionForm(request.GET) if is_dry else _stored(team)
    if not is_dry:
        return _page(request, form)
    if not form.is_valid():
        return _page(request, form, status=422)
    return _page(request, form, would_remove=_dry_run(team, form, timezone.now()))


@team_required
@require_POST
def run_retention(request: HttpRequest) -> HttpResponse:
    """Begin the day's run now."""
    _ensure_managing(request)
    team = membership_of(request).team
    if retention_runs.begin(team, timezone.now(), person=person_of(request)):
        messages.success(request, "The run has begun. Reload this page to see what it removed.")
    else:
        messages.info(request, "A run is under way already.")
    return redirect("requests:retention")


def _ensure_managing(request: HttpRequest) -> None:
    if not membership_of(request).may_manage:
        raise PermissionDenied


def _stored(team: Team) -> RetentionForm:
    days: dict[str, Any] = {kind: getattr(team, f"{kind}_days") for kind in RetentionKind}
    return RetentionForm(initial={**days, "at_fal": team.retention_at_fal})


def _dry_run(team: Team, form: RetentionForm, now: datetime) -> list[tuple[str, rules.Share]]:
    """Return what the typed days would remove now, by its words."""
    asked = copy(team)
    for kind in RetentionKind:
        setattr(asked, f"{kind}_days", form.cleaned_data[kind])
    asked.retention_at_fal = form.cleaned_data["at_fal"]
    return [(WORDS[share.kind], share) for share in rules.plan(now, [asked]) if share.count]


def _store(request: HttpRequest, team: Team) -> HttpResponse:
    form = RetentionForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    rules.set_days(team, {kind: form.cleaned_data[kind] for kind in RetentionKind})
    rules.set_at_fal(team, is_on=form.cleaned_data["at_fal"])
    messages.success(request, "Stored. The next daily run goes by these days.")
    return redirect("requests:retention")


def _page(
    request: HttpRequest, form: RetentionForm, status: int = 200, **more: Any
) -> HttpResponse:
    team = membership_of(request).team
    runs = list(RetentionRun.objects.filter(team=team).select_related("person").order_by("-began_at")[:SHOWN_RUNS])  # fmt: skip
    has_days = any(getattr(team, f"{kind}_days") is not None for kind in RetentionKind)
    newest = runs[0] if runs else None
    context = {
        "form": form,
        "fields": [(form[kind], WORDS[kind], HELP[kind]) for kind in RetentionKind],
        "at_fal": form["at_fal"].value(),
        "fals_answers": _fals_answers(team),
        "has_days": has_days,
        "runs": [(run, _removed(run)) for run in runs],
        "is_running": newest is not None and newest.ended_at is None,
        "next_at": newest.began_at + retention_runs.EVERY if newest else None,
        **more,
    }
    return render(request, "teams/retention.html", context, status=status)


def _fals_answers(team: Team) -> list[tuple[str, int]]:
    """Return how many deletions at fal still wait, and how many have failed of requests that are still here."""
    mine = FalDeletion.objects.filter(team=team, state__in=(FalDeletionState.WAITING, *ASKED_AGAIN))
    counted = dict(mine.order_by().values_list("state").annotate(count=Count("pk")))
    return [(one.label, counted[one]) for one in FalDeletionState if one in counted]


def _removed(run: RetentionRun) -> list[tuple[str, int, int, int]]:
    """Return of each kind its words, requests, bytes, and how many of them fal was asked about."""
    return [
        (WORDS.get(kind, kind), one["count"], one["size"], one.get("at_fal", 0))
        for kind, one in run.removed.items()
    ]
