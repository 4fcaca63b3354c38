"""The team's endpoints for programs: used, added or favourites."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from requests_app.api.accepted import NoNulText
from requests_app.api.auth import READS_ROWS, ApiRequest
from requests_app.catalogue import own
from requests_app.fal.endpoints import EndpointId, InvalidEndpointId
from requests_app.paging import InvalidCursor

router = Router(tags=["endpoints"])


class EndpointFilters(Schema):
    """Filters of the team's endpoints, which come by id."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        NoNulText, Field(max_length=200, description="words that are all in id, title or category")
    ] = ""
    category: Annotated[NoNulText, Field(max_length=80, description="as fal names it")] = ""
    favourite: Annotated[
        bool | None, Field(description="only the team's favourites, or others")
    ] = None
    cursor: Annotated[str | None, Field(max_length=300, description="a `next_cursor`")] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class OwnEndpointOut(Schema):
    """An endpoint of the team. Title, category and description are fal's, empty where it lists none.

    `added`: by hand. `last_used_at`: of the team's newest request; null when it has none.
    """

    endpoint_id: str
    title: str
    category: str
    description: str
    favourite: bool
    added: bool
    last_used_at: datetime | None

    @staticmethod
    def resolve_favourite(one: own.OwnEndpoint) -> bool:
        return one.is_favourite

    @staticmethod
    def resolve_added(one: own.OwnEndpoint) -> bool:
        return one.is_added


class EndpointPage(Schema):
    """One page; `next_cursor` is null on the last."""

    items: list[OwnEndpointOut]
    next_cursor: str | None


@router.get(
    "",
    auth=READS_ROWS,
    response={200: EndpointPage},
    summary="List the team's endpoints",
)
def list_endpoints(request: ApiRequest, filters: Query[EndpointFilters]) -> dict[str, Any]:
    """The endpoints that the team has used, added or made a favourite, by id. Pass `next_cursor` as
    `cursor` for the next page.
    """
    team = request.auth.team
    found = own.own_endpoints(
        team, q=filters.q, category=filters.category, favourite=filters.favourite
    )
    after = _after(filters.cursor)
    found = [one for one in found if one.endpoint_id > after]
    shown = own.with_times(team, found[: filters.limit])
    more = shown[-1].endpoint_id if len(found) > len(shown) else None
    return {"items": shown, "next_cursor": more}


def _after(cursor: str | None) -> str:
    """Return the id behind which the page begins. Raises InvalidCursor."""
    try:
        return "" if cursor is None else str(EndpointId.parse(cursor))
    except InvalidEndpointId as error:
        raise InvalidCursor("A cursor of this list is the id of an endpoint.") from error
