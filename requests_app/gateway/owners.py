"""Which team a request id belongs to: a key reads and cancels nothing that another team's row has.

An id that no row has (of a program that called fal directly, say) is passed on: fal answers for the team's
key. What is known stays known, so that a program that polls every 100 ms asks the database once.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError

from requests_app.models import FalRequest

MOST_KEPT = 20_000
UNKNOWN_S = 5.0  # how long "no row has it" is believed

DatabaseCall = Callable[..., Awaitable[Any]]


@dataclass(frozen=True)
class Owner:
    """Whose a request id is, and the fal key it was sent with; `team_id` None: no row has it."""

    team_id: int | None
    fal_key_id: int | None
    at: float
    person_id: int | None = None


class Owners:
    """The ids seen by one event loop."""

    def __init__(self, database: DatabaseCall, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._owners: OrderedDict[str, Owner] = OrderedDict()

    def learn(
        self,
        request_id: str,
        team_id: int | None,
        fal_key_id: int | None = None,
        person_id: int | None = None,
    ) -> None:
        """Keep what fal or the database said."""
        self._owners[request_id] = Owner(team_id, fal_key_id, self._clock(), person_id)
        self._owners.move_to_end(request_id)
        if len(self._owners) > MOST_KEPT:
            self._owners.popitem(last=False)

    def known(self, request_id: str) -> Owner | None:
        """Return what was learnt of an id."""
        return self._owners.get(request_id)

    async def may_reach(self, request_id: str, team_id: int, *, only_of: int | None = None) -> bool:
        """Return whether the team's key may be used on this id; while the database is away it may.

        `only_of`: the caller, who may not see what others' requests hold.
        """
        known = self._owners.get(request_id)
        owner, person_id = (known.team_id, known.person_id) if known else (None, None)
        if owner is None and (known is None or self._clock() - known.at >= UNKNOWN_S):
            try:
                owner, fal_key_id, person_id = await self._database(_owner_of, request_id)
            except DatabaseError:
                return only_of is None
            self.learn(request_id, owner, fal_key_id, person_id)
        is_theirs = only_of is None or owner is None or person_id == only_of
        return owner in (None, team_id) and is_theirs


def _owner_of(request_id: str) -> tuple[int | None, int | None, int | None]:
    rows = FalRequest.objects.filter(fal_request_id=request_id)
    columns = rows.values_list("team_id", "fal_key_id", "person_id")
    return columns.first() or (None, None, None)
