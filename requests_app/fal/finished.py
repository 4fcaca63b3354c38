"""fal's list of finished requests on its platform API: the query and the reading of a page. Pure.

UNCONFIRMED, all of it: path, parameters and members are as documented and were never seen, and
which keys may ask is not documented. So this is the only module that knows them, and a missing or
malformed member counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from .endpoints import REQUEST_ID, EndpointId
from .jsontext import Items, NotJson, parse_json, parse_with_items
from .replies import Reply, read_stream_refusal, unreadable
from .reports import text_or_none

PATH = "/v1/models/requests/by-endpoint"
PAGE = 100  # the most per page that fal allows
SMALL_PAGE = 10  # when the payloads of a whole page exceed one reply's limit
MOST_PAGES = 20


@dataclass(frozen=True)
class Window:
    """The endpoint and period to list (aware times). fal may mean any of a request's times by it."""

    endpoint: EndpointId
    start: datetime
    end: datetime


@dataclass(frozen=True)
class Listed:
    """A request in the list. None: absent. ``input`` is the parsed JSON that was sent."""

    request_id: str
    endpoint_id: str
    input: dict[str, Any] | None = None
    sent_at: datetime | None = None


@dataclass(frozen=True)
class FinishedPage:
    """One page; ``next_cursor`` None is the end."""

    entries: list[Listed]
    next_cursor: str | None


def page_params(window: Window, size: int, cursor: str | None) -> dict[str, str]:
    """Return the query of one page of the list."""
    return {
        "endpoint_id": str(window.endpoint),
        "start": _stamp(window.start),
        "end": _stamp(window.end),
        "expand": "payloads",
        "sort_by": "ended_at",
        "limit": str(size),
        **({"cursor": cursor} if cursor else {}),
    }


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def read_page(reply: Reply) -> FinishedPage:
    """Parse one page of the list. Raises Refused, or Unanswered for what is not a list."""
    if not reply.is_success:
        raise read_stream_refusal(reply, retryable=True)
    try:
        members = parse_with_items(reply.body, "items")
        items = members.get("items")
        if not isinstance(items, Items):
            raise NotJson("There are no items.")
        entries = list(_entries(items))
    except NotJson as exc:
        raise unreadable(reply, retryable=True, missing="a list of requests") from exc
    more = text_or_none(members.get("next_cursor"))
    return FinishedPage(entries, more if members.get("has_more") is not False else None)


def _entries(items: Iterable[Any]) -> Iterable[Listed]:
    """Yield one by one: an entry's output, which may be large, is dropped before the next is
    parsed.
    """
    for item in items:
        request_id = item.get("request_id") if isinstance(item, dict) else None
        if isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id):
            yield _listed(request_id, item)


def _listed(request_id: str, item: Mapping[str, Any]) -> Listed:
    return Listed(
        request_id,
        text_or_none(item.get("endpoint_id")) or "",
        input=_input(item.get("json_input")),
        sent_at=_moment(item.get("sent_at")),
    )


def _input(told: object) -> dict[str, Any] | None:
    """Parse an object, or the text of one."""
    if isinstance(told, str):
        try:
            told = parse_json(told.encode("utf-8", "surrogatepass"))
        except NotJson:
            return None
    return told if isinstance(told, dict) else None


def _moment(told: object) -> datetime | None:
    """Parse ISO 8601; UTC when it has no zone."""
    try:
        moment = datetime.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment
