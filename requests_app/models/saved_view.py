"""What users keep of the list: views under a name, and how each likes the table."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from requests_app.models.team import Team


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    """Queries for saved views."""

    def seen_by(self, user: Any, team: Any) -> SavedViewQuerySet:
        """The user's own views in the team, and those that are shared in it; both are keys."""
        return self.filter(Q(owner=user) | Q(is_shared=True), team=team)


class SavedView(models.Model):
    """A search, its order and the table under a name; private, or shared with the team."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="saved_views")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=60)
    query = models.CharField(max_length=200, blank=True)  # as in the search box
    sort = models.CharField(max_length=20, blank=True)
    # None: the view says nothing of the table (of versions before it could)
    columns = models.JSONField(null=True, blank=True)
    density = models.CharField(max_length=8, null=True, blank=True)  # noqa: DJ001
    is_shared = models.BooleanField(default=False)
    saved_at = models.DateTimeField(default=timezone.now)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["team", "owner", "name"], name="one_view_of_a_name")
        ]

    def __str__(self) -> str:
        return self.name


class ListPreference(models.Model):
    """A user's choices for the list of one team, on every device."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    last_view = models.CharField(
        max_length=36, blank=True
    )  # a view's id, or the name of one of ours
    columns = models.JSONField(default=list)  # optional ones that are shown
    density = models.CharField(max_length=8, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "team"], name="one_list_preference")]

    def __str__(self) -> str:
        return f"list of team {self.team_id} for user {self.user_id}"
