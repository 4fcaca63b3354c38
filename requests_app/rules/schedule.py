"""Pure: when the next poll, retry or search of a request is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

SOONEST_S = 1.0
WATCHED_S = 1.0
LATEST_S = 25.0  # with every webhook lost, an end is stored within half a minute
AGE_SHARE = 0.1  # a request that has waited two minutes is polled every twelve seconds
RETRY_FIRST_S = 1.0
RETRY_LATEST_S = 60.0
POLLS_PER_S = 50.0  # all rows together, unless the setting of that name says otherwise: polite

SEARCH_FIRST_S = 2.0  # after a submit stayed without an answer
SEARCH_LATEST_S = 30.0  # an end is found within a minute while one is likely
SEARCH_SOON = timedelta(minutes=15)
SEARCH_LATE_S = 300.0  # after SEARCH_SOON
SEARCH_FOR = timedelta(days=1)
SEARCHES_PER_S = 5.0  # all rows together


def next_poll_at(
    now: datetime,
    *,
    sent_at: datetime,
    watched_until: datetime | None,
    share_s: float,
    polls_per_s: float = POLLS_PER_S,
) -> datetime:
    """When to poll a request at fal: every second while it is watched, less often the older it is.

    Never sooner than in `share_s`, the pause that its team's share allows. More `polls_per_s` than is polite
    by default shorten what age adds in proportion.
    """
    watched = watched_until is not None and watched_until > now
    age_s = max(0.0, (now - sent_at).total_seconds())
    allowed = max(1.0, polls_per_s / POLLS_PER_S)
    by_age = WATCHED_S if watched else max(SOONEST_S, min(LATEST_S, age_s * AGE_SHARE) / allowed)
    # To a tenth of a second: rows that are due at the same moment are written together.
    return now + timedelta(seconds=round(max(by_age, share_s), 1))


def shares(open_rows: Mapping[int, int], polls_per_s: float) -> dict[int, float]:
    """Return the pause between two polls of a request, in seconds, by team.

    All teams get the same number of polls a second; what a team with few requests cannot use, the others
    share.
    """
    left, pauses = polls_per_s, {}
    by_size = sorted(open_rows.items(), key=lambda item: item[1])
    for teams_left, (team, rows) in zip(range(len(by_size), 0, -1), by_size, strict=True):
        rate = min(rows / SOONEST_S, left / teams_left)
        pauses[team] = rows / rate
        left -= rate
    return pauses


def next_search_at(now: datetime, sent_at: datetime, searched: int) -> datetime | None:
    """When to search again for a lost submit, one of `searched`: at an age of 2, 4, 8… s, then every 30 s.

    After a quarter of an hour every five minutes, after a day never (None).
    """
    age = now - sent_at
    if age > SEARCH_FOR:
        return None
    by_age = min(SEARCH_LATEST_S, max(SEARCH_FIRST_S, age.total_seconds()))
    if age > SEARCH_SOON:
        by_age = SEARCH_LATE_S
    return now + timedelta(seconds=max(by_age, searched / SEARCHES_PER_S))


def next_retry_at(now: datetime, tries: int, *, asked_s: float | None = None) -> datetime:
    """When to retry after failure number `tries` (from 1): exponential backoff up to a minute, or as fal asks."""
    doubled = RETRY_FIRST_S * 2.0 ** min(tries - 1, 10)
    return now + timedelta(seconds=asked_s or min(RETRY_LATEST_S, doubled))
