"""Costs that were not known at the end: some rows at a time, once fal's price is known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from requests_app.catalogue.prices import Price
from requests_app.lifecycle.costs import asked_again_at, cost_columns
from requests_app.lifecycle.writing import PICTURE, HistoryEntry, record_many
from requests_app.models import CostProblem, FalRequest, Source

DUE_AT_ONCE = 500  # rows that are looked at
AT_ONCE = 100  # rows of a transaction

Priced = tuple[int | None, str]  # the key it was sent with, and the endpoint


def due_costs(now: datetime) -> dict[Priced, list[int]]:
    """Return the keys of some rows whose price is to be asked for, the longest due first."""
    rows = FalRequest.objects.filter(cost_due_at__lte=now).order_by("cost_due_at")
    found: dict[Priced, list[int]] = defaultdict(list)
    for pk, key, endpoint in rows.values_list("pk", "fal_key_id", "endpoint_id")[:DUE_AT_ONCE]:
        found[key, endpoint].append(pk)
    return found


def store_costs(pks: Sequence[int], price: Price, *, now: datetime) -> int:
    """Store what these rows cost at this price, or when to ask again; return how many costs became known."""
    known = 0
    for first in range(0, len(pks), AT_ONCE):
        with transaction.atomic():
            rows = FalRequest.objects.select_for_update().only(
                *PICTURE, "billable_units", "cost_due_at"
            )
            due = rows.filter(pk__in=pks[first : first + AT_ONCE], cost_due_at__isnull=False)
            known += _stored(list(due.order_by("pk")), price, now)
    return known


def _stored(rows: list[FalRequest], price: Price, now: datetime) -> int:
    entries = []
    for row in rows:
        if not price.is_known:
            row.cost_due_at = asked_again_at(row, now)
            row.cost_problem = None if row.cost_due_at else CostProblem.PRICE
        elif (columns := cost_columns(price, row.billable_units)).get("cost") is None:
            row.cost_due_at, row.cost_problem = None, columns["cost_problem"]
        else:
            note = f"It cost {price.cost_words(row.billable_units)}, at fal's price of {price.unit_words}."
            entry = HistoryEntry(row, row.status, "priced", note, Source.US, now, now, {}, columns)
            entries.append(entry)
    priced = {entry.row.pk for entry in entries}
    others = [row for row in rows if row.pk not in priced]
    FalRequest.objects.bulk_update(others, ["cost_due_at", "cost_problem"])
    record_many(entries)
    return len(entries)
