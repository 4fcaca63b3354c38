"""`/api/v1/models`: search, prices and estimates. Source: fal's Platform OpenAPI; how `q` matches is UNCONFIRMED."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import ids, openapi
from .listing import MADE_UP, chance
from .misbehave import misbehave
from .models import ENDPOINTS, find
from .pricing import CURRENCY, price_of
from .replies import json_response, platform_error
from .sandbox import sandbox_of, user_of

MOST_IDS = 50
MOST = 100
USUAL = 50
MOST_UNITS = 10**12
Model = dict[str, Any]


class BadQuery(ValueError):
    """The text says what is wrong with which parameter."""


class UnknownEndpoint(LookupError):
    """The text is the id."""


async def models(request: Request) -> Response:
    """The key is optional, but a wrong one is refused."""

    async def work() -> Response:
        if "authorization" in request.headers and user_of(request) is None:
            return _unauthorized()
        return _answered(_page, request.query_params, sandbox_of(request).settings.base_url)

    rule = sandbox_of(request).faults.take("models", "")
    return await misbehave(rule, request, work)


async def prices(request: Request) -> Response:
    async def work() -> Response:
        return _unauthorized() if user_of(request) is None else _answered(_prices, request)

    return await misbehave(sandbox_of(request).faults.take("pricing", ""), request, work)


async def estimate(request: Request) -> Response:
    async def work() -> Response:
        if user_of(request) is None:
            return _unauthorized()
        try:
            body = await request.json()
        except (ValueError, RecursionError):
            return platform_error(400, "validation_error", "The body is not valid JSON.")
        return _answered(_estimate, body)

    return await misbehave(sandbox_of(request).faults.take("pricing", ""), request, work)


def _unauthorized() -> Response:
    return platform_error(401, "authorization_error", "Invalid key credentials")


def _answered(answer: Any, *given: Any) -> Response:
    try:
        return json_response(answer(*given))
    except BadQuery as exc:
        return platform_error(400, "validation_error", str(exc))
    except UnknownEndpoint as exc:
        return platform_error(404, "not_found", f"Endpoint '{exc}' not found")


def _page(params: QueryParams, base_url: str) -> dict[str, Any]:
    wanted = _ids(params)
    found = [_model(name, base_url) for name in wanted or [*ENDPOINTS, *MADE_UP]]
    found = [model for model in found if _fits(model["metadata"], model["endpoint_id"], params)]
    start, limit = _start(params.get("cursor", "")), _limit(params)
    shown, has_more = found[start : start + limit], len(found) > start + limit
    if "openapi-3.0" in _listed(params.getlist("expand")):
        shown = [{**model, "openapi": _document(model, base_url)} for model in shown]
    return {
        "models": shown,
        "next_cursor": _cursor(start + limit) if has_more else None,
        "has_more": has_more,
    }


def _fits(metadata: Mapping[str, Any], endpoint_id: str, params: QueryParams) -> bool:
    """Every word of `q` is somewhere in id, name, description or tags."""
    if params.get("category", metadata["category"]) != metadata["category"]:
        return False
    if params.get("status", metadata["status"]) != metadata["status"]:
        return False
    text = " ".join(
        (endpoint_id, metadata["display_name"], metadata["description"], *metadata["tags"])
    )
    return all(word in text.lower() for word in params.get("q", "").lower().split())


def _model(endpoint_id: str, base_url: str) -> Model:
    made_up = MADE_UP.get(endpoint_id)
    endpoint = ENDPOINTS.get(made_up.runs_as if made_up else endpoint_id)
    if endpoint is None:
        raise UnknownEndpoint(endpoint_id)
    day = f"2026-{1 + chance(endpoint_id, 10):02d}-{1 + chance(endpoint_id, 28):02d}T00:00:00Z"
    title = made_up.title if made_up else endpoint.title
    category = made_up.category if made_up else endpoint.category
    is_old = made_up is not None and not made_up.is_newest and chance(endpoint_id, 7) == 0
    metadata = {
        "display_name": title,
        "category": category,
        "description": f"{title}: made up. {endpoint.description}"
        if made_up
        else endpoint.description,
        "status": "deprecated" if is_old else "active",
        "tags": [*category.split("-to-"), "made up"] if made_up else [category, "sandbox"],
        "updated_at": day,
        "is_favorited": None,
        "thumbnail_url": openapi.thumbnail(endpoint_id).replace("{base_url}", base_url),
        "model_url": f"{base_url}/run/{endpoint_id}",
        "license_type": "research" if chance(endpoint_id, 9) == 0 else "commercial",
        "date": day,
        "group": _group(endpoint_id),
        "highlighted": made_up is None,
        "kind": "training" if category == "training" else "inference",
        "duration_estimate": round((1 + chance(endpoint_id, 60)) / 10, 1),
        "pinned": False,
    }
    return {"endpoint_id": endpoint_id, "metadata": metadata}


def _group(endpoint_id: str) -> dict[str, str]:
    key = endpoint_id.split("/")[1]
    return {"key": key, "label": key.capitalize()}


def _document(model: Model, base_url: str) -> dict[str, Any]:
    endpoint_id = ids.parse(model["endpoint_id"])
    endpoint = find(endpoint_id) if endpoint_id else None
    if endpoint is None:
        return {"error": {"code": "not_found", "message": "No schema"}}
    return openapi.document(endpoint, base_url)


def _prices(request: Request) -> dict[str, Any]:
    wanted = _ids(request.query_params)
    if not wanted:
        raise BadQuery(f"endpoint_id: 1 to {MOST_IDS} ids are expected")
    found = [price_of(name, _category(name)).as_json() for name in wanted]
    return {"prices": found, "next_cursor": None, "has_more": False}


def _estimate(body: Any) -> dict[str, Any]:
    kind = body.get("estimate_type") if isinstance(body, dict) else None
    name = {"historical_api_price": "call_quantity", "unit_price": "unit_quantity"}.get(str(kind))
    if name is None:
        raise BadQuery("estimate_type: historical_api_price or unit_price is expected")
    endpoints = body.get("endpoints")
    if not isinstance(endpoints, dict) or not 1 <= len(endpoints) <= MOST_IDS:
        raise BadQuery(f"endpoints: an object with 1 to {MOST_IDS} ids is expected")
    total = 0.0
    for endpoint_id, given in endpoints.items():
        quantity = _quantity(given.get(name) if isinstance(given, dict) else None)
        if quantity is None or (name == "call_quantity" and not quantity.is_integer()):
            raise BadQuery(f"endpoints.{endpoint_id}.{name}: a positive number is expected")
        price = price_of(endpoint_id, _category(endpoint_id))
        units = price.usual if name == "call_quantity" else 1
        total += quantity * units * price.unit_price
    return {"estimate_type": kind, "total_cost": round(total, 9), "currency": CURRENCY}


def _quantity(value: object) -> float | None:
    """None for what is no number from 0.000001 to MOST_UNITS."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if 1e-6 <= value <= MOST_UNITS else None


def _category(endpoint_id: str) -> str:
    if (made_up := MADE_UP.get(endpoint_id)) is not None:
        return made_up.category
    if (endpoint := ENDPOINTS.get(endpoint_id)) is None:
        raise UnknownEndpoint(endpoint_id)
    return endpoint.category


def _ids(params: QueryParams) -> list[str]:
    """Repeated or with commas."""
    found = _listed(params.getlist("endpoint_id"))
    if len(found) > MOST_IDS:
        raise BadQuery(f"endpoint_id: {MOST_IDS} ids at most")
    return list(dict.fromkeys(found))


def _listed(values: Iterable[str]) -> list[str]:
    return [part for value in values for part in value.split(",") if part]


def _limit(params: QueryParams) -> int:
    text = params.get("limit", str(USUAL))
    if not text.isdecimal() or not 1 <= len(text) <= 9 or int(text) < 1:
        raise BadQuery("limit: a number from 1 is expected")
    return min(int(text), MOST)


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"from {place}".encode()).decode()


def _start(cursor: str) -> int:
    if not cursor:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("from "))
    except (ValueError, binascii.Error):
        raise BadQuery("cursor: one from an earlier page is expected") from None


ROUTES = [
    Route("/api/v1/models", models),
    Route("/api/v1/models/pricing", prices),
    Route("/api/v1/models/pricing/estimate", estimate, methods=["POST"]),
]
