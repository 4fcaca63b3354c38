"""How an endpoint has done for a team: count, success rate, queue and run times of the newest requests.

Every query reads a fixed number of rows of the index `list_by_endpoint`, so that the cost does not
grow with the history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from statistics import median

from django.db.models import Subquery
from django.db.models.functions import Coalesce

from requests_app.models import FalRequest, Mode, Status, Team
from requests_app.models.request import FalRequestQuerySet

NEWEST = 200  # rows from which rates and times are computed
COUNTED = 1000  # a higher count costs the database and helps no reader
READ = 5000  # rows that are looked at, sessions among them


@dataclass(frozen=True)
class Spread:
    """Seconds: the median, and what nine of ten stay under, over `of` requests."""

    median: float
    ninety: float
    of: int


@dataclass(frozen=True)
class Figures:
    """What the newest requests say. `total` stops counting at `COUNTED` + 1."""

    total: int
    newest: int
    completed: int
    failed: int
    queue: Spread | None
    run: Spread | None

    @property
    def count(self) -> str:
        return f"{COUNTED:,}+" if self.total > COUNTED else f"{self.total:,}"

    @property
    def success(self) -> str:
        """Return the share of those that completed or failed; a cancel is neither."""
        ended = self.completed + self.failed
        return f"{100 * self.completed / ended:.0f} %" if ended else ""


def figures(team: Team, endpoint_id: str) -> Figures:
    """Return the figures of one endpoint."""
    rows = requests_of(team, endpoint_id)
    total = rows.values("pk")[: COUNTED + 1].count()
    times = ("mode", "status", "sent_at", "accepted_at", "started_at", "ended_at")
    newest = list(rows.order_by("-id").values_list(*times)[:NEWEST])
    done = [row for row in newest if row[1] == Status.COMPLETED]
    return Figures(
        total=total,
        newest=len(newest),
        completed=len(done),
        failed=sum(row[1] == Status.FAILED for row in newest),
        queue=spread([_seconds(row[3], row[4]) for row in done if row[0] == Mode.QUEUE]),
        run=spread([_seconds(_began(*row[:5]), row[5]) for row in done]),
    )


def requests_of(team: Team, endpoint_id: str) -> FalRequestQuerySet:
    """Return the requests among the team's newest `READ` rows of the endpoint.

    Sessions are left out: they last as one likes. An endpoint may have had nothing else, and very many.
    """
    rows: FalRequestQuerySet = FalRequest.objects.filter(team=team, endpoint_id=endpoint_id)
    next_older = rows.order_by("-id").values("pk")[READ : READ + 1]
    return rows.submitted().made_here().filter(pk__gt=Coalesce(Subquery(next_older), 0))


def _began(
    mode: str, status: str, sent: datetime | None, accepted: datetime | None, start: datetime | None
) -> datetime | None:
    """A direct call without a start of its own runs from the moment it was sent."""
    return start if start or mode == Mode.QUEUE else sent


def _seconds(start: datetime | None, end: datetime | None) -> float | None:
    # Two clocks may disagree by a moment.
    return max(0.0, (end - start).total_seconds()) if start and end else None


def spread(found: Sequence[float | None]) -> Spread | None:
    """Return median and 90 % (nearest rank) of the known values."""
    known = sorted(value for value in found if value is not None)
    if not known:
        return None
    return Spread(median(known), known[ceil(0.9 * len(known)) - 1], len(known))
