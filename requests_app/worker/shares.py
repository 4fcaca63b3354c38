"""Each team's share of the polls, counted anew every second at most."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass, field

from django.conf import settings
from django.db.models import Count, F

from requests_app.models import FalRequest
from requests_app.rules import schedule

COUNTED_FOR_S = 1.0


@dataclass(frozen=True)
class _Count:
    """The pauses of all teams with open requests, under the setting as it was."""

    polls_per_s: float = 0.0
    pauses: dict[int, float] = field(default_factory=dict)
    until: float = 0.0

    def is_of(self, teams: Collection[int]) -> bool:
        is_fresh = time.monotonic() < self.until and self.polls_per_s == settings.POLLS_PER_S
        return is_fresh and self.pauses.keys() >= set(teams)


_count = [_Count()]  # replaced as a whole: several threads ask


def of_teams(teams: Collection[int]) -> dict[int, float]:
    """Return the pause between two polls of a request by team, in seconds. Asks the database."""
    counted = _count[0]
    if not counted.is_of(teams):
        counted = _count[0] = _counted(teams)
    return counted.pauses


def _counted(teams: Collection[int]) -> _Count:
    rows = FalRequest.objects.filter(due_at__isnull=False).order_by()
    # Added to 0, so that SQLite does not read the whole history in the order of an index by team.
    counts = rows.values_list(F("team_id") + 0).annotate(Count("pk"))
    open_rows = dict.fromkeys(teams, 1) | dict(counts)
    pauses = schedule.shares(open_rows, settings.POLLS_PER_S)
    return _Count(settings.POLLS_PER_S, pauses, time.monotonic() + COUNTED_FOR_S)
