"""A team's newest versions from the database, which sockets compare with what they have sent.

The channel layer may lose messages, or be down without an error. Sockets of one team share the
answer, so that a thousand open tables cost little more than one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

from channels.db import database_sync_to_async

from requests_app.models import FalRequest

MOST = 500  # rows; a page that missed more finds the others by GET
SHARED_S = 1.0

Versions = Mapping[str, int]  # public id -> seq

_answers: dict[int, tuple[float, Versions]] = {}  # by team: when it was read, and the versions


@database_sync_to_async  # type: ignore[untyped-decorator]
def newest_versions(team_id: int, *, max_age_s: float = SHARED_S) -> Versions:
    """Return the versions of the rows that changed last; the same object while nothing changes."""
    read_at, known = _answers.get(team_id, (float("-inf"), {}))
    now = time.monotonic()
    if now - read_at > max_age_s:
        fresh = _read(team_id)
        known = known if fresh == known else fresh
        _answers[team_id] = now, known
    return known


def _read(team_id: int) -> Versions:
    rows = FalRequest.objects.filter(team_id=team_id).order_by("-seq")
    return {str(id): seq for id, seq in rows.values_list("public_id", "seq")[:MOST]}
