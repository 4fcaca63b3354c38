"""Bulk actions: one action on many requests, with an outcome for each."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from requests_app.models.request import FalRequest
from requests_app.models.team import Team
from requests_app.models.turns import TurnsQuerySet, WorkInTurns


class BulkVerb(models.TextChoices):
    """What is done to each request."""

    CANCEL = "cancel", "Cancel"
    AGAIN = "again", "Run again"
    GIVE_UP = "give_up", "Give up"
    REREAD = "reread", "Read again from fal"
    TAG = "tag", "Tag"
    UNTAG = "untag", "Take tags off"
    STAR = "star", "Star"
    UNSTAR = "unstar", "Take the star off"
    PAYLOAD = "payload", "Delete input and output"
    DELETE = "delete", "Delete"


WITH_TAGS = frozenset({BulkVerb.TAG, BulkVerb.UNTAG})  # they need to be told which
FOR_MANAGERS = frozenset(
    {BulkVerb.PAYLOAD, BulkVerb.DELETE}
)  # for owners and admins: it is for good


class BulkState(models.TextChoices):
    """The state of a bulk action. Only in `running` is anything done.

    ::

        storing ─▶ running ◀─▶ paused
                    │    │        │
                    ▼    ▼        ▼
              finished   stopped
    """

    STORING = "storing", "storing"  # its items are being written
    RUNNING = "running", "running"
    PAUSED = "paused", "paused"
    STOPPED = "stopped", "stopped"
    FINISHED = "finished", "finished"


class Outcome(models.TextChoices):
    """What came of one request: it waits for its turn, or how that went."""

    WAITING = "waiting", "waiting"
    DONE = "done", "done"
    SKIPPED = "skipped", "skipped"  # it no longer qualified when its turn came
    FAILED = "failed", "failed"


class BulkAction(WorkInTurns):
    """One action on many requests. Its counts always add up to `total`."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="bulk_actions")
    # who confirmed, resumed or retried it last: each item is done in this name and with this right
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    token = models.CharField(max_length=64)  # of the confirmed page: sent twice, it is one action
    # of the call over the API that the token stands for
    body_digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    verb = models.CharField(max_length=8, choices=BulkVerb.choices)
    search = models.TextField(
        blank=True
    )  # what they matched; empty with `by_hand`: they were ticked
    by_hand = models.BooleanField(default=False)
    tags = models.CharField(max_length=1000, blank=True, default="", db_default="")  # with commas
    # of deletions: fal is asked as well to delete what it keeps
    at_fal = models.BooleanField(default=False, db_default=False)
    reason = models.CharField(max_length=300, blank=True)
    left_out = models.JSONField(default=list)  # [sentence, count] of those not taken at the start
    state = models.CharField(max_length=8, choices=BulkState.choices, default=BulkState.STORING)
    note = models.CharField(max_length=300, blank=True)  # why it was paused

    total = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    succeeded = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = TurnsQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "-id"], name="bulk_of_team"),
            models.Index(fields=["due_at"], name="bulk_due", condition=Q(due_at__isnull=False)),
        ]
        constraints = [models.UniqueConstraint(fields=["team", "token"], name="one_bulk_of_a_page")]

    def __str__(self) -> str:
        return f"{self.verb} {self.public_id} ({self.state})"

    @property
    def tag_names(self) -> list[str]:
        """Return the tags it puts on or takes off."""
        return self.tags.split(",") if self.tags else []

    @property
    def done(self) -> int:
        """How many have had their turn."""
        return self.succeeded + self.skipped + self.failed

    @property
    def is_at_work(self) -> bool:
        return self.state in (BulkState.RUNNING, BulkState.PAUSED)

    @property
    def left(self) -> timedelta | None:
        """How long the rest takes at the present rate; None when that is not known."""
        return self.time_left(self.waiting) if self.state == BulkState.RUNNING else None


class BulkItem(models.Model):
    """One request of a bulk action. `repeat`: the new request of a run again."""

    bulk = models.ForeignKey(
        BulkAction, on_delete=models.CASCADE, db_index=False, related_name="items"
    )
    request: Any = models.ForeignKey(
        FalRequest, on_delete=models.SET_NULL, null=True, related_name="bulk_items"
    )
    repeat: Any = models.ForeignKey(
        FalRequest, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    outcome = models.CharField(max_length=7, choices=Outcome.choices, default=Outcome.WAITING)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [models.Index(fields=["bulk", "outcome", "id"], name="bulk_items_by_outcome")]

    def __str__(self) -> str:
        return f"item {self.pk} of bulk action {self.bulk_id}"
