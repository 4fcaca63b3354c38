"""The figures of the overview, for programs."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from django.utils import timezone
from ninja import Query, Router, Schema
from pydantic import AfterValidator, ConfigDict, Field

from requests_app.api.accepted import NoNulText
from requests_app.api.auth import READS_ROWS, ApiRequest
from requests_app.api.schemas import StatusWord
from requests_app.display.times import TimeStyle, known_zones
from requests_app.overview.reading import Asked, Cost, overview_of, user_key_of
from requests_app.overview.spans import Range

router = Router(tags=["overview"])


def _known(zone: str) -> str:
    if zone not in known_zones():
        raise ValueError("This zone is not known; take a name such as Europe/Berlin.")
    return zone


class OverviewFilters(Schema):
    """Which figures."""

    model_config = ConfigDict(extra="forbid")

    range: Annotated[
        Range, Field(description="bars of a minute, of an hour, or of a day (`month`: 30 of them)")
    ] = Range.DAY
    zone: Annotated[
        NoNulText,
        Field(max_length=64, description="where days begin, such as Europe/Berlin"),
        AfterValidator(_known),
    ] = "UTC"
    endpoint_id: Annotated[NoNulText, Field(max_length=300)] = ""
    by: Annotated[NoNulText, Field(max_length=150, description="a user's name")] = ""


class EndsOut(Schema):
    """How requests ended. Failed: `mistakes` of the input (4xx), `faults` of fal, `own_faults` on this side."""

    total: int
    completed: int
    mistakes: int
    faults: int
    own_faults: int
    cancelled: int
    open: int


class BarOut(Schema):
    """Requests that were created from `begin` until before `end`."""

    begin: datetime
    end: datetime
    ends: EndsOut


class PercentilesOut(Schema):
    """Seconds that half, 90 % and 99 % of the requests stay under; at most 5 % off. `of`: how many were timed."""

    half: float
    ninety: float
    ninety_nine: float
    of: int


class CostOut(Schema):
    """Amounts by currency; `pending`: completed requests of which the cost is not known."""

    amounts: dict[str, str]
    pending: int

    @staticmethod
    def resolve_amounts(cost: Cost) -> dict[str, str]:
        """Return the amounts with all their digits."""
        return {currency: f"{Decimal(amount):f}" for currency, amount in cost.amounts.items()}


class EndpointFiguresOut(Schema):
    """One endpoint: `queue` and `run` are of completed requests, null where no times are known."""

    endpoint_id: str
    ends: EndsOut
    queue: PercentilesOut | None
    run: PercentilesOut | None
    cost: CostOut


class InFlightOut(Schema):
    """Requests of one status that have not ended, whenever they were created."""

    status: StatusWord
    count: int
    oldest_at: datetime


class OverviewOut(Schema):
    """All figures; lists and counts by name begin with the most. `heard`: how ends were learnt, such as by webhook.

    `percent`: how much of the history of before the figures is counted so far.
    """

    range: Range
    begin: datetime
    end: datetime
    bars: list[BarOut]
    ends: EndsOut
    endpoints: list[EndpointFiguresOut]
    failures: dict[str, int]
    people: dict[str, int]
    sources: dict[str, int]
    heard: dict[str, int]
    in_flight: list[InFlightOut]
    cost: CostOut
    percent: int

    resolve_failures = staticmethod(lambda found: dict(found.failures))
    resolve_people = staticmethod(lambda found: dict(found.people))
    resolve_sources = staticmethod(lambda found: dict(found.sources))
    resolve_heard = staticmethod(lambda found: dict(found.heard))


@router.get(
    "",
    auth=READS_ROWS,
    response={200: OverviewOut},
    summary="Figures of the team's requests",
)
def read(request: ApiRequest, filters: Query[OverviewFilters]) -> Any:
    """Counts, times and costs of the requests that were created in the last hour, day or 30 days.

    `failures` is by error type, `untold` where there is none. Requests that have been deleted still count.
    """
    return overview_of(
        Asked(
            request.auth.team_id,
            filters.range,
            timezone.now(),
            TimeStyle(filters.zone).tz,
            filters.endpoint_id,
            user_key_of(filters.by),
        )
    )
