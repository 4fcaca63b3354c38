"""Names of deleted accounts that are still to be taken out of the history of requests."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class FormerName(models.Model):
    """How far that is, from the newest observation down; the row goes, and the name with it, when it is done."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )
    name = models.CharField(max_length=150)
    below = models.BigIntegerField()  # the next observation is the newest below this key

    def __str__(self) -> str:
        return f"former name of user {self.user_id}"
