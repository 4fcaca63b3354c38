"""Prices: fal's own words and numbers, and a sentence for everything that is not known."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache

from requests_app.catalogue.prices import PriceState, cached_price, price_of
from requests_app.fal.endpoints import EndpointId
from requests_app.rules.money import money
from tests.catalogue.prices import PriceServer, listed

pytestmark = pytest.mark.django_db

IMG = EndpointId.parse("acme/img")
TEAM = 1


@pytest.fixture
def fal(settings: Any) -> Iterator[PriceServer]:
    cache.clear()
    made = PriceServer()
    settings.FAL_API_URL, settings.FAL_KEY = made.url, "id:secret"
    yield made
    made.close()
    cache.clear()


def test_a_price_is_asked_for_with_the_key_and_kept(fal: PriceServer) -> None:
    assert cached_price(IMG, team_id=TEAM) is None
    price = price_of(IMG, team_id=TEAM)
    assert (price.unit_words, price.estimate_words) == ("$0.025 / megapixels", "$0.04")
    assert fal.asked == [
        ("GET", "/v1/models/pricing?endpoint_id=acme%2Fimg", None),
        (
            "POST",
            "/v1/models/pricing/estimate",
            {
                "estimate_type": "historical_api_price",
                "endpoints": {"acme/img": {"call_quantity": 1}},
            },
        ),
    ]
    assert fal.keys == ["Key id:secret"] * 2
    assert price_of(IMG, team_id=TEAM) == cached_price(IMG, team_id=TEAM) == price
    assert len(fal.asked) == 2


def test_the_cost_of_many_calls_is_asked_for_and_not_multiplied(fal: PriceServer) -> None:
    fal.estimate = (200, {"total_cost": 3.5, "currency": "EUR"})
    assert price_of(IMG, team_id=TEAM, calls=100).estimate_words == "3.5 EUR"
    assert fal.asked[-1][2]["endpoints"] == {"acme/img": {"call_quantity": 100}}
    assert cached_price(IMG, team_id=TEAM) is None


@pytest.mark.parametrize(
    ("reply", "state", "words"),
    [
        ((404, {}), PriceState.UNKNOWN, "no price"),
        ((400, {}), PriceState.UNKNOWN, "no price"),
        ((200, {"prices": []}), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/other", 1)), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", None)), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", "0.1")), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", True)), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", -1)), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", float("nan"))), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", 1e300)), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", 1, unit=" ")), PriceState.UNKNOWN, "lists no price"),
        ((200, listed("acme/img", 1, unit=7)), PriceState.UNKNOWN, "lists no price"),
        ((401, {}), PriceState.NOT_ALLOWED, "does not accept the key"),
        ((403, {}), PriceState.NOT_ALLOWED, "lacks the permission"),
        ((429, {}), PriceState.UNREACHABLE, "HTTP 429"),
        ((503, {}), PriceState.UNREACHABLE, "HTTP 503"),
        ((200, [1]), PriceState.UNREACHABLE, "not a list of prices"),
        ((200, {"prices": 1}), PriceState.UNREACHABLE, "not a list of prices"),
    ],
)
def test_what_is_not_known_is_said(
    fal: PriceServer, reply: tuple[int, Any], state: PriceState, words: str
) -> None:
    fal.price = reply
    price = price_of(IMG, team_id=TEAM)
    assert (price.state, price.unit_price, price.estimate) == (state, None, None)
    assert words in price.problem
    assert len(fal.asked) == 1


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ((403, {}), "lacks the permission"),
        ((404, {}), "no price"),
        ((500, {}), "HTTP 500"),
        ((200, {}), "no estimate"),
        ((200, {"total_cost": "much"}), "no estimate"),
        ((200, "x"), "not an estimate"),
    ],
)
def test_a_price_without_an_estimate_is_still_a_price(
    fal: PriceServer, reply: tuple[int, Any], words: str
) -> None:
    fal.estimate = reply
    price = price_of(IMG, team_id=TEAM)
    assert (price.unit_words, price.estimate) == ("$0.025 / megapixels", None)
    assert words in price.estimate_problem


def test_no_key_and_no_fal_are_told_apart(fal: PriceServer, settings: Any) -> None:
    settings.FAL_KEY = ""
    assert price_of(IMG, team_id=TEAM).state == PriceState.NOT_ALLOWED
    assert fal.asked == []
    settings.FAL_KEY, settings.FAL_API_URL = "id:secret", "http://127.0.0.1:9"
    assert price_of(IMG, team_id=TEAM).state == PriceState.UNREACHABLE


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("0.025", "USD", "$0.025"),
        ("0.0250", "USD", "$0.025"),
        ("10", "USD", "$10"),
        ("1E+2", "USD", "$100"),
        ("0.0000011", "USD", "$0.0000011"),
        ("0", "USD", "$0"),
        ("3.0", "EUR", "3 EUR"),
    ],
)
def test_an_amount_has_all_its_digits(amount: str, currency: str, words: str) -> None:
    assert money(Decimal(amount), currency) == words


@pytest.mark.parametrize(
    ("unit", "billed", "words"),
    [
        ("units", "2.5", "$0.0625"),
        ("Unit", "0", "$0"),
        ("units", "", ""),
        ("units", "many", ""),
        ("units", "NaN", ""),
        ("units", "-1", ""),
        ("units", "1e99", ""),
        ("megapixels", "2.5", ""),
        ("1000 units", "2.5", ""),
    ],
)
def test_billed_units_are_multiplied_only_by_the_price_of_a_unit(
    fal: PriceServer, unit: str, billed: str, words: str
) -> None:
    fal.price = (200, listed("acme/img", 0.025, unit=unit))
    assert price_of(IMG, team_id=TEAM).cost_words(billed) == words
