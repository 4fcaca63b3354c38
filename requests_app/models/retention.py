"""Runs of retention: what each removed, and how far one that is under way has come."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from requests_app.models.team import Team


class RetentionRun(models.Model):
    """One run for one team: by the clock once a day, or by a user. It goes on after a crash."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="retention_runs")
    # who asked for it; none: the clock
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    removed: Any = models.JSONField(default=dict)  # of each kind {"count", "size"}
    # of each kind the end of the newest request that was looked at, so that no piece starts over
    reached: Any = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["team", "-began_at"], name="retention_newest")]
        constraints = [
            models.UniqueConstraint(
                fields=["team"], name="one_open_retention", condition=Q(ended_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"retention of team {self.team_id} at {self.began_at:%Y-%m-%d %H:%M}"
