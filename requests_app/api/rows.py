"""Which rows: always those of the token's team, newest first, in keyset pages."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core import signing
from django.db.models import F
from django.http import Http404

from requests_app.api.schemas import Filters
from requests_app.models import ApiToken, FalRequest
from requests_app.models.request import FalRequestQuerySet

_CURSOR_SALT = "requests_app.api.cursor"


class BadCursor(ValueError):
    """The cursor is not one that this team was given."""


def of(token: ApiToken) -> FalRequestQuerySet:
    """The team's rows, with what a reply shows of their neighbours."""
    rows: FalRequestQuerySet = (
        FalRequest.objects.filter(team=token.team_id)
        .select_related("team", "person")
        .annotate(again_of_public_id=F("again_of__public_id"))
    )
    return rows


def get_or_404(token: ApiToken, request_id: str) -> FalRequest:
    """The team's row; a foreign id, an unknown id and no id at all are the same Http404."""
    try:
        return of(token).defer("output", "search_text").get(public_id=UUID(request_id))
    except (ValueError, FalRequest.DoesNotExist):
        raise Http404 from None


def page(token: ApiToken, filters: Filters) -> tuple[list[FalRequest], str | None]:
    """The rows of one page, and the cursor of the next one if there is one. Raises BadCursor."""
    rows = of(token).without_payload().filter(**_conditions(filters)).order_by("-id")
    if filters.cursor:
        rows = rows.filter(id__lt=_read_cursor(token, filters.cursor))
    found = list(rows[: filters.limit + 1])
    if len(found) <= filters.limit:
        return found, None
    shown = found[: filters.limit]
    return shown, _cursor(token, shown[-1].pk)


def _conditions(filters: Filters) -> dict[str, Any]:
    """Field by field by hand: what a caller may ask never comes from the caller."""
    wanted = {
        "status__in": filters.status,
        "endpoint_id": filters.endpoint_id,
        "mode": filters.mode,
        "person__username": filters.person,
        "search_text__icontains": filters.q,
        "created_at__gt": filters.created_after,
        "created_at__lt": filters.created_before,
    }
    return {name: value for name, value in wanted.items() if value}


def _cursor(token: ApiToken, last: int) -> str:
    # Signed for the team: another team's cursor is refused instead of telling how many rows exist.
    return signing.dumps([token.team_id, last], salt=_CURSOR_SALT)


def _read_cursor(token: ApiToken, text: str) -> int:
    try:
        team_id, last = signing.loads(text, salt=_CURSOR_SALT)
    except signing.BadSignature:
        team_id, last = None, 0
    if team_id != token.team_id:
        raise BadCursor("This is no cursor of this list.")
    return int(last)
