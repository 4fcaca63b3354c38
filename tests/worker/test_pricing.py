"""Costs: stored at the end where the price is known, asked for later where it is not, never guessed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone

from requests_app.catalogue.prices import price_of
from requests_app.display.costs import cost_of
from requests_app.fal.endpoints import EndpointId
from requests_app.keys import keeping
from requests_app.lifecycle import pricing
from requests_app.models import CostState, FalRequest, Source, Team
from requests_app.search import Matches, Scope, parse_search
from requests_app.worker.pricing import price_due
from tests.builders import fresh, hear, make_queued, make_result, make_webhook
from tests.catalogue.prices import PriceServer, listed
from tests.catalogue.test_prices import fal

__all__ = ["fal"]

pytestmark = pytest.mark.django_db
IMG = EndpointId.parse("acme/img")


def ended(row: FalRequest, units: str = "2.5", **result: Any) -> FalRequest:
    """fal told how it ended and what it bills."""
    headers = {"x-fal-billable-units": units} if units else {}
    hear(row, replace(make_result(**result), headers=headers))
    return fresh(row)


def cost(row: FalRequest) -> tuple[Decimal | None, str]:
    return fresh(row).cost, fresh(row).cost_currency


def in_units(fal: PriceServer, amount: float = 0.02) -> None:
    fal.price = (200, listed("acme/img", amount, unit="units"))


def test_a_price_at_hand_gives_the_cost_with_the_end_itself(
    queued: FalRequest, team: Team, fal: PriceServer
) -> None:
    in_units(fal)
    price_of(IMG, team_id=team.pk)
    row = ended(queued)
    assert (row.cost, row.cost_currency, row.cost_due_at) == (Decimal("0.05"), "USD", None)
    assert row.observations.latest("id").kind == "ended"
    assert (row.cost_state, cost_of(row).words) == (CostState.KNOWN, "$0.05")


def test_a_price_that_comes_later_fills_it_in_once(queued: FalRequest, fal: PriceServer) -> None:
    row = ended(queued, code=422, error="wrong")
    assert (row.cost, cost_of(row).words, fal.asked) == (None, "pending", [])
    fal.price = (503, {})
    now = timezone.now()
    assert price_due(now) == 0
    assert cost_of(fresh(row)).words == "pending"
    assert price_due(now) == 0  # not asked again at once
    assert len(fal.asked) == 1
    in_units(fal)
    later = now + timedelta(minutes=10)
    fal_says_again(fal)
    assert price_due(later) == 1
    assert cost(row) == (Decimal("0.05"), "USD")
    told = row.observations.latest("id")
    assert (told.kind, told.source, fresh(row).seq) == ("priced", Source.US, told.pk)
    assert told.note == "It cost $0.05, at fal's price of $0.02 / units."
    assert price_due(later + timedelta(days=1)) == 0


def fal_says_again(fal: PriceServer) -> None:
    """Forget what fal said: a failure is kept for a minute."""
    cache.clear()
    fal.asked.clear()


def test_units_that_come_after_the_end_bring_the_cost(queued: FalRequest, fal: PriceServer) -> None:
    in_units(fal)
    hear(queued, make_webhook(status="ERROR", payload_bytes=None), source=Source.WEBHOOK)
    row = fresh(queued)
    assert cost_of(row).words == "unknown"
    assert cost_of(row).why == "fal told no billed units."
    ended(row, units="3", code=500, error="broken")
    assert price_due(timezone.now()) == 1
    assert cost(row) == (Decimal("0.06"), "USD")


def test_a_price_of_another_unit_is_not_multiplied(queued: FalRequest, fal: PriceServer) -> None:
    row = ended(queued)
    assert price_due(timezone.now()) == 0
    assert fresh(row).cost_state == CostState.UNKNOWN
    assert "another unit" in cost_of(fresh(row)).why
    assert price_due(timezone.now() + timedelta(days=1)) == 0
    assert len(fal.asked) == 2  # the price and the estimate, once


def test_after_a_week_fal_is_asked_no_more(queued: FalRequest, fal: PriceServer) -> None:
    fal.price = (404, {})
    row = ended(queued)
    now, rounds = timezone.now(), 0
    while (due := fresh(row).cost_due_at) and rounds < 30:
        fal_says_again(fal)
        price_due(max(due, now))
        rounds += 1
    assert 8 < rounds < 20
    assert cost_of(fresh(row)).words == "unknown"
    assert "told no price" in cost_of(fresh(row)).why


def test_a_session_or_a_live_request_says_why_there_is_none(queued: FalRequest) -> None:
    assert (cost_of(queued).words, cost_of(queued).why[:19]) == ("pending", "fal tells what it b")
    row = ended(queued, units="")
    assert (cost_of(row).words, row.cost_due_at) == ("unknown", None)


@pytest.mark.parametrize("units", ["many", "-1", "999999999"])
def test_no_odd_number_of_units_is_made_a_cost(
    queued: FalRequest, fal: PriceServer, units: str
) -> None:
    in_units(fal, 9000.0)
    ended(queued, units)
    assert price_due(timezone.now()) == 0
    assert fresh(queued).cost_state == CostState.UNKNOWN


def test_the_price_is_asked_for_with_the_key_of_the_submit(
    team: Team, owner: User, fal: PriceServer
) -> None:
    in_units(fal)
    key = keeping.add(
        team, name="Ours", pattern="", secret="team:one", by=owner, now=timezone.now()
    )
    row = ended(make_queued(team=team, person=owner))
    assert price_due(timezone.now()) == 1
    assert set(fal.keys) == {"Key team:one"}
    other = ended(make_queued("req-2", team=team, person=owner))
    assert cost(other) == cost(row)
    third = make_queued("req-3", team=team, person=owner)
    keeping.remove(team, key.pk, now=timezone.now())
    fal_says_again(fal)
    ended(third)
    assert price_due(timezone.now()) == 0
    assert (fal.asked, fresh(third).cost_state) == ([], CostState.PENDING)


def test_a_round_is_bounded_and_the_search_knows_the_cost(
    team: Team, owner: User, fal: PriceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_units(fal)
    monkeypatch.setattr(pricing, "DUE_AT_ONCE", 3)
    monkeypatch.setattr(pricing, "AT_ONCE", 2)
    rows = [
        ended(make_queued(f"req-{number}", team=team, person=owner), units=str(number))
        for number in range(5)
    ]
    # The first has the price asked for, the others wait for it.
    assert price_due(timezone.now()) == 3
    assert price_due(timezone.now()) == 2
    for few in (5000, 0):
        monkeypatch.setattr("requests_app.search.scope.FEW", few)
        found = Matches(Scope(team.pk, "olga", sees=True), parse_search("cost:>0.02"))
        assert found.newest(9) == [row.pk for row in rows[:1:-1]]
