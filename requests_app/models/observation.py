"""Observations: what was received or done, its source, when asked, when received. Append-only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import models

from requests_app.models.request import FalRequest


class Source(models.TextChoices):
    """The source of an observation."""

    US = "us", "us"
    SUBMIT_REPLY = "submit_reply", "submit reply"
    POLL = "poll", "poll"
    STATUS_STREAM = "status_stream", "status stream"
    STREAM = "stream", "stream"
    WEBHOOK = "webhook", "webhook"
    LIST = "list", "list of requests"
    PERSON = "person", "person"


class Observation(models.Model):
    """One change of one request. Its id is the row's `seq` and the cursor of all changes."""

    request = models.ForeignKey(FalRequest, on_delete=models.CASCADE, related_name="observations")
    kind = models.CharField(max_length=30)  # created, sent, accepted, status, ended, cancel_asked…
    source = models.CharField(max_length=14, choices=Source.choices)
    status = models.CharField(max_length=12)  # the row's status afterwards
    note = models.TextField(blank=True)  # a sentence for the timeline
    data = models.JSONField(default=dict)  # small facts only: position, code, error type, person
    asked_at = models.DateTimeField()
    heard_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["request", "id"], name="timeline")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.source}"

    @classmethod
    def record(
        cls,
        pk: int,
        *,
        kind: str,
        source: str,
        status: str,
        at: datetime,
        heard_at: datetime,
        note: str = "",
        data: dict[str, Any] | None = None,
    ) -> Observation:
        """Append one observation; the caller holds the transaction that also updates the row."""
        return cls.objects.create(
            request_id=pk,
            kind=kind,
            source=source,
            status=status,
            note=note,
            data=data or {},
            asked_at=at,
            heard_at=heard_at,
        )
