"""Exports that a worker writes in the background, each a file for some hours."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q

from requests_app.models.team import Team
from requests_app.models.turns import TurnsQuerySet, WorkInTurns


class ExportFormat(models.TextChoices):
    """What is written."""

    CSV = "csv", "CSV, for a spreadsheet"
    JSONL = "jsonl", "JSON Lines, exact"
    ZIP = "zip", "Zip with outputs"


class ExportState(models.TextChoices):
    """The state of an export. Its file is there in `finished` alone.

    ::

        running ─┬▶ finished ─▶ gone
                 ├▶ stopped
                 └▶ failed
    """

    RUNNING = "running", "running"  # or waiting for its turn
    FINISHED = "finished", "finished"
    STOPPED = "stopped", "stopped"
    FAILED = "failed", "failed"
    GONE = "gone", "gone"


class ExportQuerySet(TurnsQuerySet):
    """Queries for exports."""

    def holding(self) -> ExportQuerySet:
        """Those that have a file, or are getting one."""
        return self.filter(state__in=(ExportState.RUNNING, ExportState.FINISHED))


class Export(WorkInTurns):
    """One export: the search, how far it is, and until when its file is there."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="exports")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    token = models.CharField(max_length=64)  # of the page or call: sent twice, it is one export
    search = models.TextField(blank=True)
    format = models.CharField(max_length=5, choices=ExportFormat.choices)
    state = models.CharField(max_length=8, choices=ExportState.choices, default=ExportState.RUNNING)
    note = models.CharField(max_length=300, blank=True)  # why it failed or is gone
    # Rows without inputs and outputs: asked for by a member who may not see those.
    without_payloads = models.BooleanField(default=False, db_default=False)

    total = models.PositiveIntegerField(default=0)  # requests, counted when it begins
    done = models.PositiveIntegerField(default=0)
    size = models.BigIntegerField(default=0)  # bytes written so far

    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    objects = ExportQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["team", "-id"], name="exports_of_team"),
            models.Index(fields=["due_at"], name="export_due", condition=Q(due_at__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(fields=["team", "token"], name="one_export_of_a_page")
        ]

    def __str__(self) -> str:
        return f"{self.format} export {self.public_id} ({self.state})"

    @property
    def is_there(self) -> bool:
        return self.state == ExportState.FINISHED

    def is_open(self, now: datetime) -> bool:
        """Whether the file may still be downloaded."""
        return self.is_there and self.expires_at is not None and now < self.expires_at

    @property
    def left(self) -> timedelta | None:
        """How long the rest takes at the present rate; None when that is not known."""
        if self.state != ExportState.RUNNING or not self.done:
            return None
        return self.time_left(max(self.total - self.done, 0))
