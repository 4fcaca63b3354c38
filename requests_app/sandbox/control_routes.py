"""`/control/...` for tests, `/healthz`, and the OpenAPI documents."""

from __future__ import annotations

from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import Response

from requests_app.faults.rules import InvalidRule

from . import ids, openapi
from .models import ENDPOINTS, find
from .replies import json_response, unauthorized
from .sandbox import sandbox_of, user_of


async def healthz(_request: Request) -> Response:
    return json_response({"status": "ok"})


async def faults(request: Request) -> Response:
    """GET shows the rules in force, POST replaces them by a JSON list, DELETE clears them."""
    if user_of(request) is None:
        return unauthorized()
    rules = sandbox_of(request).faults
    try:
        if request.method == "POST":
            rules.replace(await request.json())
    except InvalidRule as exc:
        return json_response({"detail": str(exc)}, 422)
    except (ValueError, RecursionError):
        return json_response({"detail": "The body is not valid JSON."}, 422)
    if request.method == "DELETE":
        rules.clear()
    return json_response(rules.rules)


async def ledger(request: Request) -> Response:
    if user_of(request) is None:
        return unauthorized()
    return json_response([asdict(entry) for entry in sandbox_of(request).ledger.entries])


async def endpoints(_request: Request) -> Response:
    """The catalogue: what can be called here."""
    return json_response([
        {"endpoint_id": endpoint.id, "title": endpoint.title, "description": endpoint.description,
         "stream": endpoint.stream is not None, "realtime": endpoint.realtime is not None}
        for endpoint in ENDPOINTS.values()
    ])  # fmt: skip


async def schema(request: Request) -> Response:
    wanted = request.query_params.get("endpoint_id", "")
    endpoint_id = ids.parse(wanted)
    endpoint = find(endpoint_id) if endpoint_id else None
    if endpoint is None:
        return json_response({"detail": f"Endpoint '{wanted}' not found"}, 404)
    return json_response(openapi.document(endpoint, sandbox_of(request).settings.base_url))
