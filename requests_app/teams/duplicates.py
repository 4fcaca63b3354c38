"""The team's choice about the same request twice."""

from __future__ import annotations

from requests_app.models import Team


def set_minutes(team: Team, minutes: int | None) -> None:
    """Ask about the same input while it is open and for so many minutes after it ended; None: never."""
    Team.objects.filter(pk=team.pk).update(duplicate_minutes=minutes)
