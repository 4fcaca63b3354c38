"""What a page shows of a batch's rows, and the newest that completed or failed, for its strip of results."""

from __future__ import annotations

from requests_app.models import Batch, BatchItem, ItemState
from requests_app.thumbnails.states import COLUMNS as THUMBNAIL_COLUMNS

MOST = 24
ENDS = (ItemState.COMPLETED, ItemState.FAILED)
SHOWN = (  # what a page shows of a row and its request
    "number", "values", "state", "batch_id", "request__public_id", "request__status",
    "request__error", "request__error_type", "request__error_code", "request__thumbnail_url",
    "request__cancel_asked_at", "request__queue_position", "request__tries",
    *(f"request__{name}" for name in THUMBNAIL_COLUMNS),
)  # fmt: skip


def conceal_item(item: BatchItem) -> None:
    """Take the values and all of its request's input and output out of a loaded row. Never save it."""
    item.values = ""
    if item.request is not None:
        item.request.is_hidden = True


def newest_ended(batch: Batch) -> list[BatchItem]:
    """Return up to `MOST` rows with their requests, the highest number first."""
    found: list[BatchItem] = []
    for state in ENDS:  # one by one: over both states the index would give no order
        items = batch.items.filter(state=state).order_by("-number")
        found += items.select_related("request__thumbnail").only(*SHOWN)[:MOST]
    kept = [item for item in found if item.request is not None]  # others retention has removed
    return sorted(kept, key=lambda item: item.number, reverse=True)[:MOST]
