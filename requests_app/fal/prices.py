"""fal's prices: the calls that ask for them, and the reading of the replies. Pure.

Source: fal's Platform OpenAPI, `GET /v1/models/pricing` and `POST /v1/models/pricing/estimate`. Units are free
text, and what a call needs of them is known only afterwards: nothing is multiplied here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from .jsontext import NotJson

PATH = "/v1/models/pricing"
ESTIMATE_PATH = "/v1/models/pricing/estimate"
_MOST = Decimal("1e12")
_LEAST = Decimal("1e-12")


@dataclass(frozen=True)
class UnitPrice:
    """`unit` in fal's words."""

    amount: Decimal
    unit: str
    currency: str


@dataclass(frozen=True)
class Estimate:
    """What this many calls usually cost in all, by the history that fal has."""

    amount: Decimal
    currency: str


def price_params(endpoint_id: str) -> dict[str, str]:
    """Return the query that asks for one endpoint's price."""
    return {"endpoint_id": endpoint_id}


def estimate_body(endpoint_id: str, calls: int) -> dict[str, Any]:
    """Return the body that asks what calls cost by history. One endpoint each: fal tells one total."""
    asked = {endpoint_id: {"call_quantity": calls}}
    return {"estimate_type": "historical_api_price", "endpoints": asked}


def read_price(body: bytes, endpoint_id: str) -> UnitPrice | None:
    """Return the endpoint's price; None when the list has none of it. Raises NotJson."""
    prices = _object(body).get("prices")
    if not isinstance(prices, list):
        raise NotJson("There is no list of prices.")
    for one in prices:
        if isinstance(one, dict) and one.get("endpoint_id") == endpoint_id:
            amount, unit = _amount(one.get("unit_price")), one.get("unit")
            if amount is not None and isinstance(unit, str) and unit.strip():
                return UnitPrice(amount, " ".join(unit.split())[:60], _currency(one))
    return None


def read_estimate(body: bytes) -> Estimate | None:
    """Return the total; None when there is no usable number. Raises NotJson."""
    told = _object(body)
    amount = _amount(told.get("total_cost"))
    return None if amount is None else Estimate(amount, _currency(told))


def _object(body: bytes) -> dict[str, Any]:
    """Parse with decimal numbers: a price has no rounding of ours."""
    try:
        told = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError, InvalidOperation) as error:
        raise NotJson("It is not readable JSON.") from error
    if not isinstance(told, dict):
        raise NotJson("It is not an object.")
    return told


def _amount(value: object) -> Decimal | None:
    """Return a price that can be one; anything else counts as absent."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return None
    return value if value == 0 or _LEAST <= value <= _MOST else None


def _currency(told: dict[str, Any]) -> str:
    value = told.get("currency")
    return value[:10] if isinstance(value, str) and value.isalpha() else "USD"
