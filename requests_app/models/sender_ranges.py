"""The network addresses that fal sends webhooks from."""

from __future__ import annotations

from django.db import models


class SenderRanges(models.Model):
    """What `/v1/meta` at one FAL_API_URL said last that could be used, and how the last look there went."""

    source = models.CharField(max_length=500, primary_key=True)
    ranges = models.JSONField(default=list)  # texts in CIDR form
    read_at = models.DateTimeField(null=True, blank=True)  # NULL: never yet
    tried_at = models.DateTimeField()
    problem = models.TextField(blank=True)  # of the last look, in a sentence

    def __str__(self) -> str:
        return f"{len(self.ranges)} ranges of {self.source}"
