"""The worker's turns at batches: count what ended, make the next requests, end the batch.

Each function is one short piece of database work. Nothing here costs more with a longer history: a turn
reads the open rows of one batch, at most as many as may be open at once, and as many waiting ones.
"""

from __future__ import annotations

import logging
from datetime import datetime

from django.db import transaction
from django.db.models import F, Q

from requests_app import lifecycle
from requests_app.batches import control
from requests_app.batches.checking import cells
from requests_app.models import (
    ENDED,
    Batch,
    BatchItem,
    BatchState,
    FalRequest,
    ItemState,
    Membership,
    Status,
)
from requests_app.presets.template import NoValue, Template
from requests_app.request_input import Draft

logger = logging.getLogger(__name__)

IDLE = Q(open=0) & ~Q(state__in=(BatchState.RUNNING, BatchState.CANCELLING))
AT_ONCE = 20  # requests made in one transaction: others wait for it on SQLite
MOST_FAILED_IN_ROW = 20
_OUTCOMES = {
    Status.COMPLETED: ItemState.COMPLETED,
    Status.FAILED: ItemState.FAILED,
    Status.CANCELLED: ItemState.CANCELLED,
}
_COUNTS = {
    ItemState.COMPLETED: "completed",
    ItemState.FAILED: "failed",
    ItemState.CANCELLED: "cancelled",
}


def settle(pk: int, now: datetime) -> int:
    """Take over how the open rows' requests have ended; return how many had."""
    is_over = Q(request__status__in=ENDED) | Q(request=None)
    ended = list(
        BatchItem.objects.filter(is_over, batch=pk, state=ItemState.OPEN)
        .order_by("request__ended_at", "number")
        .values_list("pk", "request__status")
    )
    if ended:
        outcomes = [(item, _outcome(status)) for item, status in ended]
        _store_outcomes(pk, outcomes)
    Batch.objects.mark_rate(pk, now)
    _end(pk, now)
    return len(ended)


def _outcome(status: str | None) -> ItemState:
    """Of a request that retention has removed meanwhile, nothing is known any more."""
    return _OUTCOMES[Status(status)] if status else ItemState.CANCELLED


def _store_outcomes(pk: int, outcomes: list[tuple[int, ItemState]]) -> None:
    with transaction.atomic():
        batch = Batch.objects.select_for_update().only("failed_in_row").get(pk=pk)
        changes: dict[str, object] = {}
        total = 0
        for outcome, column in _COUNTS.items():
            items = [item for item, how in outcomes if how == outcome]
            still = BatchItem.objects.filter(pk__in=items, state=ItemState.OPEN)
            count = still.update(state=outcome) if items else 0
            total += count
            if count:
                changes[column] = F(column) + count
        in_row = batch.failed_in_row
        for _, how in outcomes:
            in_row = in_row + 1 if how == ItemState.FAILED else 0
        Batch.objects.filter(pk=pk).update(open=F("open") - total, failed_in_row=in_row, **changes)


def _end(pk: int, now: datetime) -> None:
    over = Batch.objects.filter(pk=pk, waiting=0, open=0)
    for state, end in (
        (BatchState.RUNNING, BatchState.FINISHED),
        (BatchState.PAUSED, BatchState.FINISHED),
        (BatchState.CANCELLING, BatchState.CANCELLED),
    ):
        # Why it was paused is over; what a running batch says of its rows stays.
        told = {} if state == BatchState.RUNNING else {"note": ""}
        over.filter(state=state).update(state=end, ended_at=now, due_at=None, **told)


def refill(pk: int, now: datetime) -> int:
    """Make requests for the next rows, as many as there are free places; return how many."""
    batch = Batch.objects.select_related("started_by", "team").get(pk=pk)
    if batch.state == BatchState.CANCELLING:
        return _ask_cancel(batch, now)
    if batch.state != BatchState.RUNNING:
        return 0
    if why := _why_not(batch):
        control.pause(batch, now=now, note=why)
        return 0
    free = min(batch.concurrency - batch.open, AT_ONCE)
    if free <= 0 or not batch.waiting:
        return 0
    waiting = BatchItem.objects.filter(batch=batch, state=ItemState.WAITING)
    items = list(waiting.order_by("number")[:free])
    emptied = [item for item in items if batch.columns and not item.values]
    if emptied:
        return _end_emptied(batch, emptied)
    return _create(batch, items, now)


def _end_emptied(batch: Batch, items: list[BatchItem]) -> int:
    """End rows whose values are gone: filled in, they would be sent as another input."""
    with transaction.atomic():
        Batch.objects.select_for_update().get(pk=batch.pk)
        keys = [item.pk for item in items]
        still = BatchItem.objects.filter(pk__in=keys, state=ItemState.WAITING, values="")
        ended = still.update(state=ItemState.CANCELLED)
        note = f"Row {items[0].number} was not sent: its values were removed."
        if len(items) > 1:
            note = f"Row {items[0].number} and others were not sent: their values were removed."
        Batch.objects.filter(pk=batch.pk).update(
            waiting=F("waiting") - ended, cancelled=F("cancelled") + ended, note=note
        )
    return ended


def _why_not(batch: Batch) -> str:
    """Why the batch must not go on by itself; empty when it may."""
    if batch.failed_in_row >= MOST_FAILED_IN_ROW:
        return (
            f"The last {batch.failed_in_row} rows failed, one after the other. "
            "Look at one of them before you go on."
        )
    who = batch.started_by
    membership = Membership.objects.filter(team=batch.team, user=who, user__is_active=True).first()
    if who is None or membership is None or not membership.may_submit:
        return "The user who started it may no longer submit. Another member can resume it."
    return ""


def _create(batch: Batch, items: list[BatchItem], now: datetime) -> int:
    if batch.started_by is None:
        return 0
    template = Template(batch.text)
    repeats = FalRequest.objects.without_payload().in_bulk(
        [item.request_id for item in items if item.request_id]
    )
    turns = []
    for item in items:
        try:
            text = template.fill(cells(batch.columns, item.values), item.readings)
        except (
            NoValue,
            KeyError,
        ) as error:  # cannot be: every row was filled in before it was stored
            logger.error("Row %s of batch %s cannot be filled in: %s", item.number, batch.pk, error)
            control.pause(batch, now=now, note=f"Row {item.number} cannot be filled in.")
            return 0
        draft = Draft(batch.endpoint_id, batch.mode, text, batch.options)
        turns.append(lifecycle.Turn(item.pk, draft, repeats.get(item.request_id or 0)))
    return lifecycle.create_for_items(batch.pk, turns, person=batch.started_by, now=now)


def _ask_cancel(batch: Batch, now: datetime) -> int:
    """Ask to cancel open requests, a few at a time."""
    open_rows = FalRequest.objects.filter(
        batch_item__batch=batch, batch_item__state=ItemState.OPEN, cancel_asked_at=None
    ).exclude(status__in=ENDED)
    keys = list(open_rows.values_list("pk", flat=True)[:AT_ONCE])
    for key in keys:
        if batch.started_by is not None:
            lifecycle.ask_cancel(key, person=batch.started_by, now=now)
    return len(keys)
