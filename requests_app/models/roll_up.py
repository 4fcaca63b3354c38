"""Figures of requests that were counted beforehand, so that an overview reads few rows however many requests there are.

What a span of time has is always counted anew from its requests, never added to: a count that is made twice, or that
a crash cut short, leaves the same figures. Only what was removed is added to, in the transaction that removes it.
"""

from __future__ import annotations

from django.db import models

from requests_app.models.team import Team

MINUTE, HOUR, DAY = 60, 3600, 86400  # lengths of spans in seconds


class RollUp(models.Model):
    """Requests of one team and endpoint that were created in one span, of one user or (0) of all.

    Days are those of UTC. `is_removed`: of requests that have been deleted since. `more`: see `overview.tally`.
    """

    team = models.ForeignKey(Team, on_delete=models.CASCADE, db_index=False, related_name="+")
    seconds = models.PositiveIntegerField()
    begins = models.DateTimeField()
    user_key = models.BigIntegerField(default=0)
    endpoint_id = models.CharField(max_length=300)
    is_removed = models.BooleanField(default=False)

    total = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)
    mistakes = models.PositiveIntegerField(default=0)
    faults = models.PositiveIntegerField(default=0)
    own_faults = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    more = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "seconds", "begins", "user_key", "endpoint_id", "is_removed"],
                name="one_roll_up_of_a_span",
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id}: {self.total} in {self.seconds} s from {self.begins}"


class RollUpMark(models.Model):
    """A minute in which a request was created that has changed since it was counted.

    Written in the transaction of the change, so that no count can miss it; only ever inserted, so that no two writers
    wait for each other.
    """

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, db_index=False, db_constraint=False, related_name="+"
    )
    minute = models.DateTimeField()

    def __str__(self) -> str:
        return f"team {self.team_id} at {self.minute}"


class RollUpProgress(models.Model):
    """How far the counts are; one row, made by the first count.

    Hours and days that end by `closed_until` have figures of their own; what is younger has them by the minute. The
    requests of before the counts are counted from the newest down: `below` is the key to go on from, `top` the first.
    """

    closed_until = models.DateTimeField()
    top = models.BigIntegerField(default=0)
    below = models.BigIntegerField(default=0)
    counted_at = models.DateTimeField(null=True)
    lease = models.UUIDField(null=True)
    leased_until = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"closed until {self.closed_until}"

    @property
    def percent(self) -> int:
        """How much of the history is counted, by the distance of the keys."""
        if not self.below:
            return 100
        return min(int(100 * (self.top - self.below + 1) / max(self.top, 1)), 99)
