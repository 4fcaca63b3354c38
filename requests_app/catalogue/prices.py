"""What a call of an endpoint costs, in fal's words, asked for with the key.

A known price is kept for an hour in the cache, what is not known for a minute. The unit price and the estimate by
history are fal's own numbers. Units that fal billed are multiplied by its price only where that is the price of a
unit in so many words: of a megapixel or a second it is not told that they are counted so.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from requests_app.catalogue.download import DownloadError, download
from requests_app.fal.endpoints import EndpointId
from requests_app.fal.jsontext import NotJson
from requests_app.fal.prices import (
    ESTIMATE_PATH,
    PATH,
    estimate_body,
    price_params,
    read_estimate,
    read_price,
)
from requests_app.keys import Key, key_for
from requests_app.rules.money import money

WHAT = "fal's price"
MOST_BYTES = 256 * 1024
TIMEOUT_S = 4.0  # per step
DEADLINE_S = 5.0  # of each of the two calls
KEPT_S = 3600
FAILURE_KEPT_S = 60
MOST_CALLS = 1_000_000
MOST_BILLED = 10**9
BILLED_UNIT = frozenset({"unit", "units", "billable unit", "billable units"})


class PriceState(StrEnum):
    """What is known. Documented in the API."""

    KNOWN = "known"
    UNKNOWN = "unknown"  # fal has no price for it
    NOT_ALLOWED = "not_allowed"  # no key, or one that may not read prices
    UNREACHABLE = "unreachable"


@dataclass(frozen=True)
class Price:
    """`problem` and `estimate_problem` are sentences for users. `estimate`: of `calls` calls, in all."""

    endpoint_id: str
    state: PriceState
    read_at: datetime
    unit_price: Decimal | None = None
    unit: str = ""
    currency: str = ""
    estimate: Decimal | None = None
    estimate_currency: str = ""
    estimate_problem: str = ""
    problem: str = ""
    calls: int = 1

    @property
    def is_known(self) -> bool:
        return self.state == PriceState.KNOWN

    @property
    def unit_words(self) -> str:
        """The unit price: `$0.025 / megapixels`."""
        return "" if self.unit_price is None else f"{self.unit_price_words} / {self.unit}"

    @property
    def unit_price_words(self) -> str:
        return money(self.unit_price, self.currency) if self.unit_price is not None else ""

    def cost_words(self, billable_units: str) -> str:
        """Write the cost of so many billed units; empty where it is not known."""
        cost = self.cost(billable_units)
        return "" if cost is None else money(cost, self.currency)

    def cost(self, billable_units: str) -> Decimal | None:
        """Return what so many billed units cost at this price; None where the price is of another unit."""
        if self.unit_price is None or self.unit.lower() not in BILLED_UNIT:
            return None
        try:
            count = Decimal(billable_units)
        except InvalidOperation:
            return None
        is_told = count.is_finite() and 0 <= count < MOST_BILLED
        return self.unit_price * count if is_told else None

    @property
    def estimate_words(self) -> str:
        return money(self.estimate, self.estimate_currency) if self.estimate is not None else ""


def price_of(endpoint: EndpointId, *, team_id: int, calls: int = 1) -> Price:
    """Return the price and what so many calls usually cost, from the cache or from fal.

    May take seconds. A failure is part of the answer, never an exception.
    """
    return _price(key_for(team_id, str(endpoint)), str(endpoint), calls)


def cached_price(endpoint: EndpointId, *, team_id: int, calls: int = 1) -> Price | None:
    """Return the price if it is in the cache; nothing is fetched."""
    return _kept(key_for(team_id, str(endpoint)), str(endpoint), calls)


def price_with(key: Key, endpoint_id: str) -> Price:
    """Return the price for a call that was made with this key, from the cache or from fal, as `price_of` does."""
    return _price(key, endpoint_id, 1)


def price_at_hand(key: Key, endpoint_id: str) -> Price | None:
    """Return the price for a call that was made with this key, if it is in the cache."""
    return _kept(key, endpoint_id, 1)


def _price(key: Key, name: str, calls: int) -> Price:
    if (kept := _kept(key, name, calls)) is not None:
        return kept
    price = _fetch(key, name, min(max(calls, 1), MOST_CALLS))
    is_whole = price.is_known and price.estimate is not None
    cache.set(_cache_key(key, name, calls), price, KEPT_S if is_whole else FAILURE_KEPT_S)
    return price


def _kept(key: Key, name: str, calls: int) -> Price | None:
    known: Price | None = cache.get(_cache_key(key, name, calls))
    return known


def _fetch(key: Key, name: str, calls: int) -> Price:
    price = Price(name, PriceState.UNKNOWN, timezone.now(), calls=calls)
    if not key.secret:
        problem = key.problem or "There is no key to ask fal for prices with."
        return replace(price, state=PriceState.NOT_ALLOWED, problem=problem)
    try:
        found = read_price(_ask(key, PATH, params=price_params(name)), name)
    except DownloadError as error:
        state, problem = _judge(error)
        return replace(price, state=state, problem=problem)
    except NotJson:
        problem = "fal's answer is not a list of prices."
        return replace(price, state=PriceState.UNREACHABLE, problem=problem)
    if found is None:
        return replace(price, problem="fal lists no price for this endpoint.")
    price = replace(
        price,
        state=PriceState.KNOWN,
        unit_price=found.amount,
        unit=found.unit,
        currency=found.currency,
    )
    return _with_estimate(key, price)


def _with_estimate(key: Key, price: Price) -> Price:
    try:
        body = _ask(key, ESTIMATE_PATH, payload=estimate_body(price.endpoint_id, price.calls))
        found = read_estimate(body)
    except DownloadError as error:
        return replace(price, estimate_problem=_judge(error)[1])
    except NotJson:
        return replace(price, estimate_problem="fal's answer is not an estimate.")
    if found is None:
        return replace(price, estimate_problem="fal has no estimate for this endpoint.")
    return replace(price, estimate=found.amount, estimate_currency=found.currency)


def _judge(error: DownloadError) -> tuple[PriceState, str]:
    """Say what a failure means."""
    if error.status == 401:
        return PriceState.NOT_ALLOWED, "fal does not accept the key."
    if error.status == 403:
        return PriceState.NOT_ALLOWED, "The key lacks the permission to read prices."
    if error.status in (400, 404, 422):
        return PriceState.UNKNOWN, "fal has no price for this endpoint."
    return PriceState.UNREACHABLE, str(error)


def _ask(
    key: Key, path: str, *, params: dict[str, str] | None = None, payload: Any = None
) -> bytes:
    return download(
        settings.FAL_API_URL + path,
        what=WHAT,
        most=MOST_BYTES,
        timeout_s=TIMEOUT_S,
        deadline_s=DEADLINE_S,
        params=params,
        key=key.secret,
        payload=payload,
    )


def _cache_key(key: Key, name: str, calls: int) -> str:
    """Hash what the answer depends on: discounts are those of the key's account."""
    asked = json.dumps([settings.FAL_API_URL, key.digest, name, calls])
    return f"price:{hashlib.sha256(asked.encode()).hexdigest()}"
