"""Pure: when is the next look at a request due?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

SOONEST_S = 1.0
WATCHED_S = 1.0
LATEST_S = 25.0  # with every webhook lost, an end is stored within half a minute
AGE_SHARE = 0.1  # a request that has waited two minutes is asked about every twelve seconds
RETRY_FIRST_S = 1.0
RETRY_LATEST_S = 60.0
POLLS_PER_S = 50.0  # all rows together


@dataclass(frozen=True)
class Pace:
    """What the next look depends on."""

    now: datetime
    sent_at: datetime
    watched_until: datetime | None
    open_rows: int  # how many rows are being polled


def next_look(pace: Pace) -> datetime:
    """Sooner for what somebody looks at, later the older it is, never over the common budget."""
    watched = pace.watched_until is not None and pace.watched_until > pace.now
    age_s = max(0.0, (pace.now - pace.sent_at).total_seconds())
    by_age = WATCHED_S if watched else min(LATEST_S, max(SOONEST_S, age_s * AGE_SHARE))
    by_budget = pace.open_rows / POLLS_PER_S
    return pace.now + timedelta(seconds=max(by_age, by_budget))


def next_try(now: datetime, tries: int, *, asked_s: float | None = None) -> datetime:
    """After failure number `tries` (from 1): doubling to a minute, or as long as fal asked for."""
    doubled = RETRY_FIRST_S * 2.0 ** min(tries - 1, 10)
    return now + timedelta(seconds=asked_s or min(RETRY_LATEST_S, doubled))
