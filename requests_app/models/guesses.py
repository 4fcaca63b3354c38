"""Recent password guesses, per account, network and device."""

from __future__ import annotations

from django.db import models


class GuessCounter(models.Model):
    """The times of the latest guesses that fall into one slot.

    The number of slots per kind is fixed (`accounts/throttle.py`), so the table stays small under
    any load and no row is evicted.
    """

    kind = models.CharField(max_length=8)
    slot = models.PositiveIntegerField()
    guesses = models.JSONField(default=list)  # seconds since 1970, oldest first
    expires_at = models.DateTimeField(db_index=True)  # when the newest guess expires

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "slot"], name="one_guess_counter")]

    def __str__(self) -> str:
        return f"{self.kind} {self.slot}"
