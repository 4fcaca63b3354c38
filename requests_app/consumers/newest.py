"""A team's newest versions from the database, to be compared with what its pages were told.

The channel layer may lose messages, or be down without an error.
"""

from __future__ import annotations

from collections.abc import Mapping

from channels.db import database_sync_to_async

from requests_app.models import FalRequest

MOST = 500  # rows; a page that missed more finds the others by GET

Versions = Mapping[str, int]  # public id -> seq


@database_sync_to_async  # type: ignore[untyped-decorator]
def newest_versions(team_id: int) -> Versions:
    """Return the versions of the rows that changed last."""
    rows = FalRequest.objects.filter(team_id=team_id).order_by("-seq")
    return {str(id): seq for id, seq in rows.values_list("public_id", "seq")[:MOST]}
