"""What billed units cost at fal's price: stored once, from fal's own numbers, never guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from requests_app.catalogue.prices import Price, price_at_hand
from requests_app.keys import key_of
from requests_app.models import CostProblem, FalRequest

PLACES = Decimal("1e-9")
MOST = Decimal(1_000_000)  # what the column holds is below
# A price that fal tells later counts for a request so long: afterwards it may be another price.
ASKED_FOR = timedelta(days=7)
SOONEST = timedelta(minutes=2)


def costs_of(row: FalRequest, columns: Mapping[str, Any], *, now: datetime) -> dict[str, Any]:
    """Return the columns that billed units among these bring: the cost, or when to ask for the price."""
    units = columns.get("billable_units")
    if not units or row.cost is not None or "cost" in columns:
        return {}
    price = price_at_hand(key_of(row.fal_key_id), row.endpoint_id)
    return cost_columns(price, units) if price and price.is_known else {"cost_due_at": now}


def cost_columns(price: Price, units: str) -> dict[str, Any]:
    """Return the columns of so many units at a known price."""
    cost = price.cost(units)
    if cost is None or cost >= MOST:
        return {"cost_due_at": None, "cost_problem": CostProblem.UNIT}
    return {
        "cost": cost.quantize(PLACES),
        "cost_currency": price.currency[:10],
        "cost_due_at": None,
        "cost_problem": None,
    }


def asked_again_at(row: FalRequest, now: datetime) -> datetime | None:
    """Return when fal is asked for the price again, less often with time; None: never."""
    age = now - (row.ended_at or now)
    return now + max(age, SOONEST) if age < ASKED_FOR else None
