"""What a member does to a bulk action: pause, resume, stop, retry what failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from requests_app.bulk import control
from requests_app.models import BulkAction
from requests_app.views.access import member_required, person_of
from requests_app.views.bulk import get_bulk_or_404, url_of


@member_required
@require_POST
def pause_bulk(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Do nothing further until it is resumed."""
    return _moved(request, bulk_id, lambda bulk, who, now: control.pause(bulk, now=now), "Paused.")


@member_required
@require_POST
def resume_bulk(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Go on."""
    return _moved(
        request,
        bulk_id,
        lambda bulk, who, now: control.resume(bulk, person=who, now=now),
        "Resumed.",
    )


@member_required
@require_POST
def stop_bulk(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Leave the rest as it is, for good."""
    words = "Stopped. What was done stays done; the rest was left as it is."
    return _moved(request, bulk_id, lambda bulk, who, now: control.stop(bulk, now=now), words)


@member_required
@require_POST
def retry_bulk(request: HttpRequest, bulk_id: UUID) -> HttpResponse:
    """Try what failed once more."""
    return _moved(
        request,
        bulk_id,
        lambda bulk, who, now: control.retry_failed(bulk, person=who, now=now),
        "What failed waits for another turn.",
    )


def _moved(
    request: HttpRequest, bulk_id: UUID, act: Callable[[BulkAction, Any, Any], Any], words: str
) -> HttpResponse:
    bulk = get_bulk_or_404(request, bulk_id)
    if act(bulk, person_of(request), timezone.now()):
        messages.success(request, words)
    else:
        messages.info(request, "Nothing was changed: see what the action is doing now.")
    return redirect(url_of(request, bulk))
