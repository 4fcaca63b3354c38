"""How often passwords were guessed lately, for each account, network and device."""

from __future__ import annotations

from django.db import models


class GuessCounter(models.Model):
    """The times of the latest guesses that fall into one slot.

    There are as many slots of a kind as `accounts/throttle.py` says, so that the table stays small
    whatever arrives, and no row has to make room for another.
    """

    kind = models.CharField(max_length=8)
    slot = models.PositiveIntegerField()
    guesses = models.JSONField(default=list)  # seconds since 1970, oldest first
    expires_at = models.DateTimeField(db_index=True)  # when the newest guess no longer counts

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "slot"], name="one_guess_counter")]

    def __str__(self) -> str:
        return f"{self.kind} {self.slot}"
