"""Read the log of a request a page at a time, by level and words."""

from __future__ import annotations

from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from requests_app.api import rows
from requests_app.api.accepted import NoNulText
from requests_app.api.auth import READS, ApiRequest
from requests_app.api.schemas import LogLineOut
from requests_app.rules.folding import fold

router = Router(tags=["requests"])

SCANNED = 5000  # lines looked at for one page
LAST = 2**63 - 1


class LogFilters(Schema):
    """Filters of the lines, oldest first."""

    model_config = ConfigDict(extra="forbid")

    level: Annotated[
        list[NoNulText], Field(max_length=20, description="as INFO; may be repeated")
    ] = []
    q: Annotated[NoNulText, Field(max_length=200, description="a part of the message")] = ""
    after: Annotated[int, Field(ge=0, le=LAST, description="a `next_after`")] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class LogPage(Schema):
    """Lines by id. `next_after` is null when there are no more now; a page may be short, or empty, before that."""

    items: list[LogLineOut]
    next_after: int | None


@router.get(
    "{id}/logs/",
    auth=READS,
    response={200: LogPage},
    summary="Read the log",
)
def read_logs(request: ApiRequest, id: str, filters: Query[LogFilters]) -> dict[str, Any]:
    """The lines of fal's log by level and words, a page at a time. Letter case does not count."""
    row = rows.get_or_404(request.auth, id)
    lines = list(row.log_lines.filter(pk__gt=filters.after).order_by("pk")[: SCANNED + 1])
    levels, words = {level.casefold() for level in filters.level}, fold(filters.q)
    found: list[Any] = []
    last = 0
    for line in lines[:SCANNED]:
        last = line.pk
        is_meant = not levels or line.level.casefold() in levels
        if is_meant and words in fold(line.message):
            found.append(line)
            if len(found) == filters.limit:
                break
    has_more = bool(lines) and last < lines[-1].pk
    return {"items": found, "next_after": last if has_more else None}
