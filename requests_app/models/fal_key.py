"""fal keys of a team: encrypted, and never shown again."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from requests_app.models.team import Team

MOST_PATTERN = 300


class FalKey(models.Model):
    """A key of fal's that a team gave us. A removed one keeps its row, for requests refer to it."""

    OF_PROGRAM = "#own-"  # a pattern that no endpoint has, and the beginning of the digest

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="fal_keys")
    name = models.CharField(max_length=60)
    # Endpoint ids it is for: `fal-ai/flux/dev`, `fal-ai/*`; empty: the team's default.
    pattern = models.CharField(max_length=MOST_PATTERN, blank=True)
    encrypted = models.TextField(blank=True)  # empty after removal; see keys.encryption
    last_four = models.CharField(max_length=4, blank=True)
    digest = models.CharField(max_length=64, blank=True)  # of the secret, as FalAccount has it
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    changed_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=300, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["pattern", "name"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "pattern"], name="one_key_per_pattern", condition=Q(removed_at=None)
            )
        ]

    def __str__(self) -> str:
        return f"fal key {self.name} of {self.team}"

    @property
    def is_for_old_requests(self) -> bool:
        """Given again after another key has taken its place: no new request is sent with it."""
        return self.pattern.startswith("#")

    @property
    def is_of_program(self) -> bool:
        """A program keeps it to itself: calls were made with it, and it was never given."""
        return self.removed_at is not None and self.pattern.startswith(self.OF_PROGRAM)
