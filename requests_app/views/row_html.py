"""Rows of the table as HTML, for first paint, for a fetch and for a push alike.

A row looks the same to all who may act on it and see what it holds, so the sockets of a team share one rendering. Its optional cells
stand in the usual order: the page puts them into the order of its own head.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple
from uuid import UUID

from django.template.loader import render_to_string

from requests_app.display.columns import in_order
from requests_app.listed import ListedRow, listed
from requests_app.models import FalRequest

ROWS = "list/_rows.html"


class RowVariant(NamedTuple):
    """What a row depends on beside itself."""

    may_submit: bool
    query: str  # of links, for a user of several teams: "?team=5"
    sees: bool  # inputs and outputs


def pushed_rows(
    team_id: int, ids: Collection[UUID | str], variants: Iterable[RowVariant]
) -> dict[RowVariant, str]:
    """Render the team's rows of these ids as each variant's pages show them.

    Their forms have no CSRF token: the page puts in its own.
    """
    found = FalRequest.objects.filter(team_id=team_id, public_id__in=ids)
    keys, wanted = list(found.values_list("pk", flat=True)), list(variants)
    rows = {sees: listed(keys, team=team_id, sees=sees) for sees in {one.sees for one in wanted}}
    return {
        variant: render_to_string(ROWS, _context(rows[variant.sees], variant)) for variant in wanted
    }


def _context(rows: list[ListedRow], variant: RowVariant) -> dict[str, Any]:
    frame = {"membership": variant, "query": variant.query}
    return {"rows": rows, "frame": frame, "columns": in_order()}
