"""How many requests may be open at once: of a team (OPEN_PER_TEAM), and of one user in it (OPEN_PER_USER).

Checked in the transaction that creates a request. Far from a limit nothing is locked; near it the lock on the
team lets one caller count after the other, so that no two take the last place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Count

from requests_app.models import LIVE, FalRequest, Team
from requests_app.models.compiled import CompiledQuery
from requests_app.models.request import FalRequestQuerySet

NEAR = 500  # places: more than the callers of one moment can take unseen
RETRY_AFTER_S = 10


class TooManyOpen(Exception):
    """A sentence that names the limit and how many are open. Nothing was stored."""

    retry_after = str(RETRY_AFTER_S)


@dataclass(frozen=True)
class OpenCount:
    """What is open of a team, and of a user in it."""

    of_team: int
    of_user: int

    @property
    def room(self) -> int:
        """How many more may be opened; 0 or less: none."""
        return min(settings.OPEN_PER_TEAM - self.of_team, settings.OPEN_PER_USER - self.of_user)

    @property
    def sentence(self) -> str:
        """Why there is no room for more."""
        by_team = settings.OPEN_PER_TEAM - self.of_team <= settings.OPEN_PER_USER - self.of_user
        if by_team:
            who, count, most = "This team has", self.of_team, settings.OPEN_PER_TEAM
        else:
            who, count, most = "You have", self.of_user, settings.OPEN_PER_USER
        return (
            f"{who} {count:,} requests open, and {most:,} may be open at once. "
            "Nothing more was submitted: wait until some have ended, or cancel some."
        )


def _open_of(team_id: Any) -> FalRequestQuerySet:
    # By status alone: an index has it, and an open row has one of these.
    return FalRequest.objects.filter(team_id=team_id, status__in=LIVE)


# One answer, of one team.
_COUNT: CompiledQuery[tuple[int]] = CompiledQuery(
    lambda team: _open_of(team).values("team_id").annotate(count=Count("*")).values_list("count")
)


def count_open(team_id: int, person_id: int) -> OpenCount:
    """Count without a lock."""
    mine = _open_of(team_id)
    return OpenCount(mine.count(), mine.filter(person_id=person_id).count())


def open_count_for(team_id: int, person_id: int, wanted: int) -> OpenCount:
    """Count, under the team's lock where so many could meet a limit; inside the transaction that creates them."""
    (of_team,) = _COUNT.first(team=team_id) or (0,)
    # A user has no more than the team: far from both limits the index alone is read.
    count = OpenCount(of_team, of_team)
    if count.room < wanted + NEAR:
        count = count_open(team_id, person_id)
    if count.room < wanted + NEAR:
        Team.objects.select_for_update(no_key=True).filter(pk=team_id).first()
        count = count_open(team_id, person_id)
    return count


def ensure_room(team_id: int, person_id: int) -> None:
    """Raise TooManyOpen when one more would be too many."""
    count = open_count_for(team_id, person_id, 1)
    if count.room < 1:
        raise TooManyOpen(count.sentence)
