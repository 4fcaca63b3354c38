"""`/api/...`, the platform API: the list of an endpoint's finished requests, and the addresses of webhooks.

UNCONFIRMED: written from the documentation. It lists what the queue still keeps; whether fal's own list also
has direct calls is not known, and here it has none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from . import ids
from .ids import EndpointId
from .misbehave import misbehave
from .record import QueuedRequest
from .replies import json_response, platform_error
from .sandbox import sandbox_of, user_of

DAY_S = 86400.0
MOST = 100
Order = tuple[float, str]


class BadQuery(ValueError):
    """The text says what is wrong with which parameter."""


@dataclass(frozen=True)
class _Query:
    """Times in Unix seconds; `after`: the place in the order where the page before ended."""

    endpoint_id: EndpointId
    start: float
    end: float
    limit: int
    order: Callable[[QueuedRequest], Order]
    after: Order | None
    status: str
    request_id: str
    with_payloads: bool

    def wants(self, request: QueuedRequest) -> bool:
        ended_at = request.ended_at
        if ended_at is None or request.reply is None or not self.start <= ended_at <= self.end:
            return False
        if self.request_id not in ("", request.id):
            return False
        return self.status in ("", _outcome(request.reply.status_code))


def _outcome(status_code: int) -> str:
    return "success" if status_code < 400 else "user_error" if status_code < 500 else "error"


async def by_endpoint(request: Request) -> Response:
    """Newest end first, or longest first."""
    user_id = user_of(request)
    rule = sandbox_of(request).faults.take("list", request.query_params.get("endpoint_id", ""))

    async def work() -> Response:
        if user_id is None:
            return platform_error(401, "authorization_error", "Invalid key credentials")
        try:
            query = _read(request.query_params)
        except BadQuery as exc:
            return platform_error(422, "validation_error", str(exc))
        return _page(query, sandbox_of(request).queue.of(user_id, query.endpoint_id))

    return await misbehave(rule, request, work)


def _page(query: _Query, requests: list[QueuedRequest]) -> Response:
    wanted = sorted(filter(query.wants, requests), key=query.order, reverse=True)
    left = [one for one in wanted if query.after is None or query.order(one) < query.after]
    shown, has_more = left[: query.limit], len(left) > query.limit
    return json_response({
        "items": [_item(one, with_payloads=query.with_payloads) for one in shown],
        "next_cursor": json.dumps(query.order(shown[-1])) if has_more else None,
        "has_more": has_more,
    })  # fmt: skip


def _item(request: QueuedRequest, *, with_payloads: bool) -> dict[str, Any]:
    if request.reply is None or request.ended_at is None:
        raise ValueError("only what has ended is listed")
    item = {
        "request_id": request.id,
        "endpoint_id": str(request.endpoint_id),
        "sent_at": _stamp(request.accepted_at),
        "started_at": _stamp(request.started_at),
        "ended_at": _stamp(request.ended_at),
        "status_code": request.reply.status_code,
        "duration": _duration(request),
    }
    if with_payloads:
        item["json_input"] = _json(request.body)
        item["json_output"] = _json(request.reply.body)
    return item


def _duration(request: QueuedRequest) -> float:
    return (request.ended_at or 0) - (request.started_at or request.accepted_at)


def _stamp(seconds: float | None) -> str | None:
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _by_end(request: QueuedRequest) -> Order:
    return request.ended_at or 0, request.id


def _by_duration(request: QueuedRequest) -> Order:
    return _duration(request), request.id


_ORDERS = {"ended_at": _by_end, "duration": _by_duration}


def _read(params: Mapping[str, str]) -> _Query:
    """Raises BadQuery."""
    endpoint_id = ids.parse(params.get("endpoint_id", ""))
    if endpoint_id is None:
        raise BadQuery("endpoint_id: an endpoint is expected")
    order = _ORDERS.get(params.get("sort_by", "ended_at"))
    if order is None:
        raise BadQuery(f"sort_by: one of {', '.join(_ORDERS)} is expected")
    status = params.get("status", "")
    if status not in ("", "success", "error", "user_error"):
        raise BadQuery("status: success, error or user_error is expected")
    limit = params.get("limit", "50")
    if not limit.isdecimal() or not 1 <= int(limit) <= MOST:
        raise BadQuery(f"limit: 1 to {MOST} is expected")
    now = time.time()
    return _Query(
        endpoint_id,
        start=_seconds(params, "start", now - DAY_S),
        end=_seconds(params, "end", now),
        limit=int(limit),
        order=order,
        after=_after(params.get("cursor", "")),
        status=status,
        request_id=params.get("request_id", ""),
        with_payloads="payloads" in params.get("expand", "").split(","),
    )


def _seconds(params: Mapping[str, str], name: str, default: float) -> float:
    text = params.get(name)
    if text is None:
        return default
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise BadQuery(f"{name}: a time in ISO 8601 is expected") from None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()


def _after(cursor: str) -> Order | None:
    if not cursor:
        return None
    try:
        place, request_id = json.loads(cursor)
        return float(place), str(request_id)
    except (ValueError, TypeError, RecursionError):
        raise BadQuery("cursor: one from an earlier page is expected") from None


async def meta(_request: Request) -> Response:
    """Tell where webhooks come from, as fal does without a key: here from this machine."""
    return json_response({"webhook_ip_ranges": ["127.0.0.1/32", "::1/128"]})


ROUTES = [Route("/api/v1/models/requests/by-endpoint", by_endpoint), Route("/api/v1/meta", meta)]
