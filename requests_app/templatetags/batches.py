"""How a batch and its rows are displayed."""

from __future__ import annotations

from django import template

from requests_app.models import Batch, BatchItem, BatchState, ItemState
from requests_app.templatetags.requests_extras import StatusLook, look_of, status_look

register = template.Library()

_LOOKS = {
    BatchState.STORING: StatusLook("pending", "outline", "storing", "Its rows are being stored."),
    BatchState.READY: StatusLook(
        "pending", "outline", "not started", "Nothing has been sent. Open it to start it."
    ),
    BatchState.RUNNING: StatusLook(
        "in_progress", "spinner", "running", "Its rows are sent one after the other."
    ),
    BatchState.PAUSED: StatusLook(
        "in_queue", "clock", "paused", "No further rows are sent until a member resumes it."
    ),
    BatchState.CANCELLING: StatusLook(
        "cancelling", "spinner", "cancelling", "No further rows are sent; the open ones end."
    ),
    BatchState.CANCELLED: StatusLook(
        "cancelled", "slash", "cancelled", "It was cancelled. Nothing more will happen."
    ),
    BatchState.FINISHED: StatusLook("completed", "check", "finished", "All rows have ended."),
}
_WAITING = StatusLook("pending", "outline", "waiting", "It is sent when its turn comes.")


@register.filter
def batch_look(batch: Batch) -> StatusLook:
    """Return how a batch's state looks."""
    return _LOOKS[BatchState(batch.state)]


@register.filter
def item_look(item: BatchItem) -> StatusLook:
    """Return how a row looks: as its request, while it has one that speaks for it."""
    if item.state == ItemState.WAITING:
        return _WAITING
    if item.state == ItemState.OPEN and item.request is not None:
        return status_look(item.request)
    return look_of(item.state)


@register.filter
def thousands(number: int) -> str:
    """Write a count with its thousands apart: 10,000."""
    return f"{number:,}"


@register.filter
def share(batch: Batch) -> int:
    """Return how much has ended, in whole percent; 100 only when all has."""
    return 100 if batch.done == batch.total else min(99, batch.done * 100 // max(batch.total, 1))
