"""A cost in words: an amount, or why there is none."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.utils import timezone

from requests_app.display.costs import cost_of
from requests_app.models import CostProblem, FalRequest, Mode, Status

NOW = timezone.now()


@pytest.mark.parametrize(
    ("columns", "words", "why"),
    [
        ({"cost": Decimal("0.050000000"), "cost_currency": "USD"}, "$0.05", ""),
        ({"cost": Decimal(0), "cost_currency": "EUR"}, "0 EUR", ""),
        ({"status": Status.IN_QUEUE}, "pending", "has ended"),
        ({"cost_due_at": NOW, "billable_units": "1"}, "pending", "asked for again"),
        ({"billable_units": "1"}, "unknown", "before costs were stored"),
        ({"mode": Mode.REALTIME}, "unknown", "a session"),
        ({}, "unknown", "no billed units"),
        ({"cost_problem": CostProblem.UNIT}, "unknown", "another unit"),
        ({"cost_problem": CostProblem.PRICE}, "unknown", "no price"),
    ],
)
def test_each_state_has_its_words(columns: dict[str, object], words: str, why: str) -> None:
    row = FalRequest(**{"status": Status.COMPLETED, "ended_at": NOW, **columns})
    told = cost_of(row)
    assert (told.words, why in told.why, bool(told.why)) == (words, True, bool(why))
