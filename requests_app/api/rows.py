"""Query rows, always those of the token's team. Search and pages work as on the list page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import F, Q
from django.http import Http404

from requests_app.api.accepted import Filters
from requests_app.display.marks import with_star, with_tags
from requests_app.models import ApiToken, FalRequest
from requests_app.models.request import FalRequestQuerySet
from requests_app.paging import page_of
from requests_app.request_input import Draft
from requests_app.rules.tag_names import pairs_of
from requests_app.search import NOT_SEARCHED, Matches, Scope, Sorted, parse_search
from requests_app.search.sorting import ORDERS


class BadSearch(ValueError):
    """The search text is invalid; `problems` are sentences."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__(" ".join(problems))
        self.problems = problems


def of(token: ApiToken) -> FalRequestQuerySet:
    """Return the team's rows, with what a response shows of related rows."""
    rows: FalRequestQuerySet = (
        FalRequest.objects.filter(team=token.team_id)
        .select_related("team", "person")
        .annotate(again_of_public_id=F("again_of__public_id"))
    )
    return with_star(with_tags(rows), token.user_id).shown_to(sees=token.sees)


def just_created(token: ApiToken, row: FalRequest, draft: Draft) -> FalRequest:
    """Return a row that this call has created, with all that `of` would load: it is known, so nothing is read again."""
    row.person, row.again_of_public_id, row.is_starred = token.user, None, False  # type: ignore[attr-defined]
    if not (draft.tags or pairs_of(row.options)):
        row.shown_taggings = ()  # type: ignore[attr-defined]
    row.is_hidden = not token.sees
    return row


def get_or_404(token: ApiToken, request_id: str) -> FalRequest:
    """Return the team's row; a foreign, an unknown and a malformed id raise the same Http404."""
    try:
        return of(token).defer("output", "search_text").get(public_id=UUID(request_id))
    except (ValueError, FalRequest.DoesNotExist):
        raise Http404 from None


def matching(token: ApiToken, text: str, also: Q | None = None) -> Matches:
    """Return what matches a search among the rows of the token's team. Raises BadSearch."""
    search = parse_search(text)
    if not token.sees and search.asks_for_payloads:
        raise BadSearch((*search.problems, NOT_SEARCHED))
    if search.problems:
        raise BadSearch(search.problems)
    scope = Scope(token.team_id, token.user.get_username(), token.sees)
    return Matches(scope, search, also or Q())


def page(token: ApiToken, filters: Filters) -> tuple[list[FalRequest], UUID | None]:
    """Return one page of rows, in the order that is asked for, and the cursor of the next page, if there is one.

    The cursor is the id of the page's last row. Raises InvalidCursor, BadSearch.
    """
    team = of(token)
    asked = matching(token, filters.q or "", also=Q(**_conditions(filters)))
    found = page_of(
        Sorted(asked, ORDERS[filters.sort]) if filters.sort else asked,
        within=team,
        load=lambda keys: team.without_payload().filter(pk__in=keys),
        params={"older": filters.cursor} if filters.cursor else {},
        size=filters.limit,
    )
    return found.rows, found.rows[-1].public_id if found.older else None


def _conditions(filters: Filters) -> dict[str, Any]:
    """Map each filter explicitly: field names never come from the caller."""
    wanted = {
        "status__in": filters.status,
        "endpoint_id": filters.endpoint_id,
        "mode": filters.mode,
        "person__username": filters.person,
        "batch_item__batch__public_id": filters.batch,
        "created_at__gt": filters.created_after,
        "created_at__lt": filters.created_before,
    }
    return {name: value for name, value in wanted.items() if value}
