"""Observations: what was received or done, its source, when asked, when received. Append-only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from django.db import connection, models

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
    GATEWAY = "gateway", "gateway"


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
    def append(cls, observations: Sequence[Self]) -> Sequence[Self]:
        """Append them in this order and return them with their ids.

        The caller holds the transaction that also updates the rows.
        """
        if connection.features.can_return_rows_from_bulk_insert:
            return cls.objects.bulk_create(observations)
        for one in observations:  # an SQLite before 3.35
            one.save(force_insert=True)
        return observations
