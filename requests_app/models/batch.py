"""Batches: one input over many rows of values, each row a request when its turn comes."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import ExpressionWrapper, Q

from requests_app.models.preset import Preset
from requests_app.models.request import FalRequest, Mode
from requests_app.models.team import Team
from requests_app.models.turns import TurnsQuerySet, WorkInTurns


class BatchState(models.TextChoices):
    """The state of a batch. Only in `running` are requests made.

    ::

        storing ─▶ ready ─▶ running ◀─▶ paused
                              │   │       │
                              ▼   ▼       ▼
                       finished   cancelling ─▶ cancelled
    """

    STORING = "storing", "storing"  # its rows are being written
    READY = "ready", "not started"
    RUNNING = "running", "running"
    PAUSED = "paused", "paused"
    CANCELLING = "cancelling", "cancelling"
    CANCELLED = "cancelled", "cancelled"
    FINISHED = "finished", "finished"


class ItemState(models.TextChoices):
    """The state of a row: waiting for its turn, its request open, or how that ended."""

    WAITING = "waiting", "waiting"
    OPEN = "open", "open"
    COMPLETED = "completed", "completed"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


UNSTARTED = frozenset({BatchState.STORING, BatchState.READY})
AT_WORK = frozenset({BatchState.RUNNING, BatchState.PAUSED, BatchState.CANCELLING})
OVER = frozenset({BatchState.CANCELLED, BatchState.FINISHED})


class BatchQuerySet(TurnsQuerySet):
    """Queries for batches."""

    def marking_removed(self) -> Self:
        """Tell as `values_removed` whether retention has removed the input and the values."""
        is_empty = ExpressionWrapper(Q(text=""), output_field=models.BooleanField())
        return self.annotate(values_removed=is_empty)

    def ended_with_values(self, before: datetime) -> Self:
        """Batches that ended before this time and whose input and values are still stored."""
        return self.filter(state__in=OVER, ended_at__lt=before).exclude(text="")


class Batch(WorkInTurns):
    """A batch. Its counts always add up to `total` and change in the transaction that changes items."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="batches")
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+"
    )  # who made it
    # who started or resumed it last: its requests are made in this name and end with this right
    started_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    name = models.CharField(max_length=80, blank=True)
    preset = models.ForeignKey(Preset, on_delete=models.SET_NULL, null=True, related_name="batches")
    preset_version = models.PositiveIntegerField(null=True)

    endpoint_id = models.CharField(max_length=300)
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.QUEUE)
    options = models.JSONField(default=dict)
    # the input with its variables; empty: retention has removed it and the values of all rows
    text = models.TextField()
    columns = models.JSONField(default=list)  # names of the values of each item

    state = models.CharField(max_length=10, choices=BatchState.choices, default=BatchState.STORING)
    note = models.CharField(max_length=300, blank=True)  # why it was paused
    concurrency = models.PositiveSmallIntegerField(default=10)
    total = models.PositiveIntegerField(default=0)
    waiting = models.PositiveIntegerField(default=0)
    open = models.PositiveIntegerField(default=0)
    completed = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    failed_in_row = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    # The caller's promise that repeating the same call means this batch; empty without one
    idempotency_key = models.CharField(max_length=255, blank=True, default="", db_default="")
    body_digest = models.CharField(max_length=64, blank=True, default="", db_default="")

    objects = BatchQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "-id"], name="batches_of_team"),
            models.Index(fields=["due_at"], name="batches_due", condition=Q(due_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "idempotency_key"],
                name="one_batch_of_a_key",
                condition=~Q(idempotency_key=""),
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.public_id} ({self.state})"

    @property
    def done(self) -> int:
        """How many rows have ended."""
        return self.completed + self.failed + self.cancelled

    @property
    def is_at_work(self) -> bool:
        return self.state in AT_WORK

    @property
    def left(self) -> timedelta | None:
        """How long the rest takes at the present rate; None when that is not known."""
        return self.time_left(self.total - self.done) if self.state == BatchState.RUNNING else None


class BatchItem(models.Model):
    """One row of a batch. `values`: JSON tokens, one a line, in the order of the batch's columns.

    `readings`: how each whole-string variable is put in, see `presets.template`.
    """

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, db_index=False, related_name="items")
    number = models.PositiveIntegerField()
    values = models.TextField(blank=True)
    readings = models.TextField(blank=True)
    state = models.CharField(max_length=9, choices=ItemState.choices, default=ItemState.WAITING)
    # At most one request at a time, and no request belongs to two rows. After a retry: the newest.
    request = models.OneToOneField(
        FalRequest, on_delete=models.SET_NULL, null=True, blank=True, related_name="batch_item"
    )

    class Meta:
        indexes = [models.Index(fields=["batch", "state", "number"], name="items_by_state")]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="one_item_of_a_number")
        ]

    def __str__(self) -> str:
        return f"row {self.number} of batch {self.batch_id}"
