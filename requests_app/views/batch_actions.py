"""What a member does to a batch: start, pause, resume, cancel, retry, discard."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from requests_app.batches import control
from requests_app.batches.making import discard
from requests_app.forms.batch import ConcurrencyForm
from requests_app.models import Batch, BatchState
from requests_app.views.access import member_required, person_of, team_of
from requests_app.views.batches import ASK_ABOVE, get_batch_or_404, url_of


@member_required
@require_POST
def start_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Start it. Above 100 rows their number must have been typed."""
    batch = get_batch_or_404(request, batch_id)
    typed = request.POST.get("count", "").replace(",", "").replace(".", "").strip()
    if batch.total > ASK_ABOVE and typed != str(batch.total):
        messages.error(request, f"Nothing was started: type {batch.total}, the number of rows.")
        return redirect(url_of(request, batch))
    done = control.start(batch, person=person_of(request), now=timezone.now())
    return _said(request, batch, done=done, words="Started.")


@member_required
@require_POST
def pause_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Make no further requests."""
    batch = get_batch_or_404(request, batch_id)
    done = control.pause(batch, now=timezone.now())
    return _said(request, batch, done=done, words="Paused. What is open goes on.")


@member_required
@require_POST
def resume_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Go on."""
    return _by_person(request, batch_id, control.resume, "Resumed.")


@member_required
@require_POST
def cancel_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """End all that waits, and ask fal to cancel what is open."""
    words = "Cancelled. fal is asked to cancel what is open."
    return _by_person(request, batch_id, control.cancel, words)


@member_required
@require_POST
def retry_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Send the failed rows again."""
    batch = get_batch_or_404(request, batch_id)
    count = control.retry_failed(batch, person=person_of(request), now=timezone.now())
    left_out = control.count_given_up(batch)
    batch.refresh_from_db(fields=["state", "waiting"])
    words = "The failed rows wait for their turn."
    if batch.state == BatchState.PAUSED:
        words = f"The batch is paused: {_rows(batch.waiting)} until it is resumed."
    if left_out:
        told = f"Failed rows left out, since fal may have run them: {left_out}."
        messages.info(request, f"{told} They were given up; submit them one by one if you want to.")
    return _said(request, batch, done=bool(count), words=words)


def _rows(count: int) -> str:
    return "1 row waits" if count == 1 else f"{count:,} rows wait"


@member_required
@require_POST
def set_batch_concurrency(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Change how many of its requests are open at once."""
    batch = get_batch_or_404(request, batch_id)
    form = ConcurrencyForm(request.POST)
    if form.is_valid():
        control.set_concurrency(batch, form.cleaned_data["concurrency"], now=timezone.now())
        messages.success(request, "Changed.")
    else:
        messages.error(request, " ".join(map(str, form.errors["concurrency"])))
    return redirect(url_of(request, batch))


@member_required
@require_POST
def discard_batch(request: HttpRequest, batch_id: UUID) -> HttpResponse:
    """Delete a batch that was never started."""
    batch = get_batch_or_404(request, batch_id)
    if not discard(batch):
        return _said(request, batch, done=False, words="")
    messages.success(request, "Discarded. Nothing had been sent.")
    return redirect(f"{reverse('requests:batches')}?team={team_of(request).pk}")


def _by_person(
    request: HttpRequest, batch_id: UUID, act: Callable[..., object], words: str
) -> HttpResponse:
    batch = get_batch_or_404(request, batch_id)
    done = bool(act(batch, person=person_of(request), now=timezone.now()))
    return _said(request, batch, done=done, words=words)


def _said(request: HttpRequest, batch: Batch, *, done: bool, words: str) -> HttpResponse:
    if done:
        messages.success(request, words)
    else:
        messages.info(request, "Nothing was changed: see what the batch is doing now.")
    return redirect(url_of(request, batch))
