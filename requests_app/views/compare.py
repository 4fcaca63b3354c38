"""Two to four requests side by side: their inputs, outputs, times and what they cost."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from requests_app.catalogue.prices import cached_price
from requests_app.display.costs import amount
from requests_app.display.input_diff import Line, diff, diff_inputs
from requests_app.display.media import Medium
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.fal.headers import platform_options
from requests_app.models import HIDDEN, FalRequest
from requests_app.templatetags.requests_extras import duration
from requests_app.views import detail_context
from requests_app.views.access import get_request_or_404
from requests_app.views.errors import error_page
from requests_app.views.login import login_required

FEWEST, MOST = 2, 4
NONE = "-"


@login_required
@require_safe
def compare(request: HttpRequest) -> HttpResponse:
    """Show the requests of `?id=…&id=…`; one that is not the user's is a 404.

    Of those whose team hides inputs and outputs from the user, times and cost are compared alone.
    """
    ids = list(dict.fromkeys(request.GET.getlist("id")))
    if not FEWEST <= len(ids) <= MOST:
        sentence = f"Choose {FEWEST} to {MOST} requests: {len(ids)} were chosen."
        return error_page(request, 400, "Nothing to compare", sentence)
    rows = [get_request_or_404(request.user, one, may_be_hidden=True) for one in ids]
    columns: list[dict[str, Any]] = [
        {"row": row, "media": []} if row.is_hidden else detail_context.live(row, may_act=False)
        for row in rows
    ]
    is_hidden = any(row.is_hidden for row in rows)
    context = {
        "columns": columns,
        "hidden": HIDDEN if is_hidden else "",
        "lines": [] if is_hidden else _inputs(rows),
        "times": _unmarked([_spans(row) for row in rows]),
        "costs": _unmarked([_cost(row) for row in rows]),
        "versions": "-".join(str(row.seq) for row in rows),
        "pair": _pair([column["media"] for column in columns]),
        "has_videos": sum(_has(column["media"], "video") for column in columns) > 1,
    }
    return render(request, "compare/compare.html", context)


def compare_url(rows: Sequence[FalRequest], *, team: int | None) -> str:
    """Return the address that compares the first of these requests; `team` as in all links."""
    ids = [str(row.public_id) for row in rows[:MOST]]
    named = {"team": team} if team else {}
    return f"{reverse('requests:compare')}?{urlencode({'id': ids, **named}, doseq=True)}"


def _inputs(rows: Sequence[FalRequest]) -> list[Line]:
    """The way of the call first, where it differs; then the input's fields."""
    ways = diff([_way(row) for row in rows])
    texts = ["{}" if row.payload_removed_at else row.input_text for row in rows]
    return [line for line in ways if line.differs] + diff_inputs(texts)


def _way(row: FalRequest) -> dict[str, str]:
    options = platform_options(row.options)
    given = {name.replace("_", " "): str(value) for name, value in options.items()}
    return {"Endpoint": row.endpoint_id, "Mode": row.mode, **given}


def _unmarked(values: Sequence[dict[str, str]]) -> list[Line]:
    """Compare what is known of any; no two runs take or cost the same, so nothing is marked."""
    known = [line for line in diff(values) if any(cell.text != NONE for cell in line.cells)]
    return [replace(line, differs=False) for line in known]


def _spans(row: FalRequest) -> dict[str, str]:
    pairs = {
        "Took": (row.created_at, row.ended_at),
        "Queued": (row.accepted_at, row.started_at),
        "Ran": (row.started_at, row.ended_at),
    }
    return {
        name: str(duration(end - start)) if start and end else NONE
        for name, (start, end) in pairs.items()
    }


def _cost(row: FalRequest) -> dict[str, str]:
    """fal's numbers as they are; today's price only if it is at hand, for nothing is fetched here."""
    price = None
    with suppress(InvalidEndpointId):  # stored before a rule became stricter
        price = cached_price(EndpointId.parse(row.endpoint_id), team_id=row.team_id)
    return {
        "Billable units": row.billable_units or NONE,
        "Unit price today": (price.unit_words if price else "") or NONE,
        "Cost": amount(row) or NONE,
    }


def _has(media: Sequence[Medium], kind: str) -> bool:
    return any(medium.kind == kind for medium in media)


def _pair(media: Sequence[Sequence[Medium]]) -> list[Medium]:
    """Return the first pictures of two requests, to be laid over each other; none for more or fewer."""
    if len(media) != FEWEST:
        return []
    firsts = [next((one for one in each if one.kind == "image"), None) for each in media]
    return [one for one in firsts if one] if all(firsts) else []
