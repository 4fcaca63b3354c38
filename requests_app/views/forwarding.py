"""Forwarding: a team's destinations, what was sent to each, and what may be done about it; owners and admins.

A secret is shown in the reply to the POST that made it, and never again; an address never.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_safe

from requests_app.forms.forwarding import DestinationForm
from requests_app.forwarding import keeping
from requests_app.forwarding.keeping import ForwardRefused
from requests_app.models import (
    HIDDEN,
    ForwardDestination,
    ForwardMessage,
    ForwardState,
    conceal_answer,
)
from requests_app.views.access import membership_of, person_of, team_of, team_required
from requests_app.views.settings import manages

PAGE_SIZE = 30
_OPEN = (ForwardState.WAITING, ForwardState.SENDING)


@team_required
@require_safe
def forwarding(request: HttpRequest) -> HttpResponse:
    """Show the destinations."""
    _ensure_managing(request)
    return _all(request, DestinationForm(initial={"deliveries": True}))


@team_required
@require_safe
def destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a destination, and its messages, newest first: GET ?state=failed&before=<id>."""
    _ensure_managing(request)
    return _one(request, _destination_or_404(request, pk))


def _all(request: HttpRequest, form: DestinationForm, status: int = 200) -> HttpResponse:
    context = {
        "destinations": ForwardDestination.objects.of_team(team_of(request).pk).defer("encrypted"),
        "form": form,
        "hidden": "" if membership_of(request).sees else HIDDEN,
        "has_webhooks": bool(settings.PUBLIC_URL),
    }
    return render(request, "forwarding/forwarding.html", context, status=status)


def _one(
    request: HttpRequest, one: ForwardDestination, status: int = 200, **more: Any
) -> HttpResponse:
    """Render the page; `more` replaces a part, such as a refused form."""
    state, before = request.GET.get("state", ""), request.GET.get("before", "")
    state = state if state in ForwardState else ""
    rows = ForwardMessage.objects.of(one).order_by("-pk")
    if state:
        rows = rows.filter(state__in=_OPEN if state in _OPEN else [state])
    is_first = not (before.isascii() and before.isdigit() and len(before) < 19)
    if not is_first:
        rows = rows.filter(pk__lt=int(before))
    found = list(
        rows.select_related("request").only(
            "event", "state", "created_at", "due_at", "ended_at", "message_id", "why", "tries",
            "request__public_id", "request__endpoint_id",
        ).prefetch_related("attempts")[: PAGE_SIZE + 1]
    )  # fmt: skip
    shown, mine = found[:PAGE_SIZE], membership_of(request)
    for attempt in (each for one in shown for each in one.attempts.all()) if not mine.sees else ():
        conceal_answer(attempt)
    team = one.team_id if request.GET.get("team") else None
    context = {
        "one": one,
        "form": DestinationForm(destination=one),
        "hidden": "" if mine.sees else HIDDEN,
        "found": shown,
        "state": state,
        "states": [ForwardState.WAITING, ForwardState.SENT, ForwardState.FAILED],
        "is_first": is_first,
        "older": _query(state=state, before=shown[-1].pk, team=team)
        if len(found) > PAGE_SIZE
        else "",
        "has_old_secret": bool(one.old_secret_until and timezone.now() < one.old_secret_until),
        **more,
    }
    return render(request, "forwarding/destination.html", context, status=status)


@sensitive_post_parameters("address")
@manages
def add_destination(request: HttpRequest) -> HttpResponse:
    """Store another destination, and show its secret once."""
    form = DestinationForm(request.POST)
    if form.is_valid():
        try:
            made, secret = keeping.add(
                team_of(request), form.wanted, by=person_of(request), now=timezone.now()
            )
        except ForwardRefused as refused:
            form.add_error("destination_name", str(refused))
        else:
            return _one(request, made, status=201, secret=secret)
    return _all(request, form, status=422)


@sensitive_post_parameters("address")
@manages
def change_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Store another name, address or choice."""
    one = _destination_or_404(request, pk)
    form = DestinationForm(request.POST, destination=one)
    if form.is_valid():
        try:
            keeping.change(one, form.wanted)
        except ForwardRefused as refused:
            form.add_error("destination_name", str(refused))
        else:
            return _said(request, one, "The destination is changed.")
    return _one(request, one, status=422, form=form)


@manages
def rotate_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Make another secret, and show it once; the one before stays valid for a day."""
    one = _destination_or_404(request, pk)
    secret = keeping.rotate(one, timezone.now())
    return _one(request, _destination_or_404(request, pk), status=201, secret=secret)


@manages
def switch_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch it on (`on=1`) or off."""
    one, is_on = _destination_or_404(request, pk), request.POST.get("on") == "1"
    keeping.switch(one, is_on=is_on, now=timezone.now())
    words = "on: what happens from now on is sent" if is_on else "off"
    return _said(request, one, f"The destination is {words}.")


@manages
def test_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask the worker for a test message."""
    one = _destination_or_404(request, pk)
    try:
        keeping.send_test(one, timezone.now())
    except ForwardRefused as refused:
        messages.error(request, str(refused))
        return redirect("requests:destination", pk)
    return _said(request, one, "A test is on its way: its answer comes below in a moment.")


@manages
def remove_destination(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove it with its messages."""
    keeping.remove(_destination_or_404(request, pk), timezone.now())
    messages.success(request, "The destination is removed.")
    return redirect("requests:forwarding")


@manages
def resend_forward(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a message again."""
    mine = ForwardMessage.objects.filter(team=membership_of(request).team_id)
    message = mine.filter(pk=pk).select_related("destination").first()
    if message is None or message.destination.removed_at:
        raise Http404
    try:
        keeping.resend(message, timezone.now())
    except ForwardRefused as refused:
        messages.error(request, str(refused))
        return redirect("requests:destination", message.destination_id)
    return _said(request, message.destination, "The message is sent again, with its id.")


def _ensure_managing(request: HttpRequest) -> None:
    if not membership_of(request).may_manage:
        raise PermissionDenied


def _destination_or_404(request: HttpRequest, pk: int) -> ForwardDestination:
    found = ForwardDestination.objects.of_team(membership_of(request).team_id).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _said(request: HttpRequest, one: ForwardDestination, words: str) -> HttpResponse:
    messages.success(request, words)
    return redirect("requests:destination", one.pk)


def _query(**asked: Any) -> str:
    return "?" + urlencode({name: value for name, value in asked.items() if value})
