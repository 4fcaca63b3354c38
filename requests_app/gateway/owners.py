"""Which team a request id belongs to: a key reads and cancels nothing that another team's row has.

An id that no row has (of a program that called fal directly, say) is passed on: fal answers for the team's
key. What is known stays known, so that a program that polls every 100 ms asks the database once.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any

from django.db import DatabaseError

from requests_app.models import FalRequest

MOST_KEPT = 20_000
UNKNOWN_S = 5.0  # how long "no row has it" is believed

DatabaseCall = Callable[..., Awaitable[Any]]


class Owners:
    """The ids seen by one event loop."""

    def __init__(self, database: DatabaseCall, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._teams: OrderedDict[str, tuple[int | None, float]] = OrderedDict()

    def learn(self, request_id: str, team_id: int | None) -> None:
        """Keep what fal or the database said."""
        self._teams[request_id] = team_id, self._clock()
        self._teams.move_to_end(request_id)
        if len(self._teams) > MOST_KEPT:
            self._teams.popitem(last=False)

    async def may_reach(self, request_id: str, team_id: int) -> bool:
        """Return whether the team's key may be used on this id; while the database is away it may."""
        owner, at = self._teams.get(request_id, (None, 0.0))
        if owner is None and (not at or self._clock() - at >= UNKNOWN_S):
            try:
                owner = await self._database(_owner_of, request_id)
            except DatabaseError:
                return True
            self.learn(request_id, owner)
        return owner in (None, team_id)


def _owner_of(request_id: str) -> int | None:
    rows = FalRequest.objects.filter(fal_request_id=request_id)
    return rows.values_list("team_id", flat=True).first()
