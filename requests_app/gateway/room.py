"""Whether a team may have one more request open: asked of the database at most once a second for each caller.

A call through the gateway never waits for its record, so what passes meanwhile is counted here.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError

from requests_app import lifecycle

KNOWN_S = 1.0
MOST_KNOWN = 10_000  # callers; one that is forgotten is counted anew


@dataclass
class _Known:
    count: lifecycle.OpenCount
    at: float
    passed: int = 0  # calls since it was counted


class OpenRoom:
    """Bound to one event loop. `in_database`: runs a function where the database may be asked."""

    def __init__(self, in_database: Callable[..., Awaitable[Any]]) -> None:
        self._in_database = in_database
        self._known: OrderedDict[tuple[int, int], _Known] = OrderedDict()

    async def refusal(self, team_id: int, user_id: int) -> str:
        """Return why one more may not be opened, and count it when it may; "" also while the database is away."""
        key = (team_id, user_id)
        known = self._known.get(key)
        if known is None or time.monotonic() - known.at > KNOWN_S:
            try:
                count = await self._in_database(lifecycle.count_open, team_id, user_id)
            except DatabaseError:
                return ""
            known = self._known[key] = _Known(count, time.monotonic())
            while len(self._known) > MOST_KNOWN:
                self._known.popitem(last=False)
        if known.passed >= known.count.room:
            return known.count.sentence
        known.passed += 1
        return ""
