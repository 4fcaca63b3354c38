"""A request in the queue that Faldeck keeps for an own app (`LOCAL_APPS`): what fal would have of it."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q


class LocalJob(models.Model):
    """Waiting, until it has a `slot`; at work, until `ended_at`. It is given to its app once.

    The slots of an app are numbered, and no two of its jobs can have the same: so many are at work at once.
    """

    request_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    app = models.CharField(max_length=201)  # owner/app, as in LOCAL_APPS
    path = models.CharField(max_length=300, blank=True)  # below the app, without slashes around it
    # of the key that a program came with; none: of a row of ours, which has its team
    team_pk = models.BigIntegerField(null=True, blank=True)

    # What was asked
    body = models.BinaryField()
    is_low = models.BooleanField(default=False)  # its priority
    has_no_retry = models.BooleanField(default=False)
    start_by = models.DateTimeField(null=True, blank=True)
    accepted_at = models.DateTimeField()
    cancel_asked_at = models.DateTimeField(null=True, blank=True)

    # Its way to the app
    due_at = models.DateTimeField()  # not before: the app was away
    tries = models.PositiveSmallIntegerField(default=0)
    slot = models.PositiveSmallIntegerField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    logs = models.JSONField(default=list)

    # Its end
    ended_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    headers = models.JSONField(default=dict)
    output = models.BinaryField(default=bytes)
    error_type = models.CharField(
        max_length=60, blank=True
    )  # of an end that is not the app's answer

    # Whom it is told to
    webhook_url = models.TextField(blank=True)
    webhook_due_at = models.DateTimeField(null=True, blank=True)
    webhook_fault = models.JSONField(null=True, blank=True)  # a rule of the fault lab
    webhook_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["app", "slot"], condition=Q(slot__isnull=False), name="one_job_in_a_slot"
            )
        ]
        indexes = [
            models.Index(
                F("app"), F("is_low"), F("id"), condition=Q(ended_at=None), name="open_local_jobs"
            ),
            models.Index(
                fields=["webhook_due_at"],
                condition=Q(webhook_due_at__isnull=False),
                name="due_local_webhooks",
            ),
            models.Index(fields=["ended_at"], name="ended_local_jobs"),
        ]

    def __str__(self) -> str:
        return f"{self.app} {self.request_id}"

    @property
    def endpoint_id(self) -> str:
        """The id it was submitted to."""
        return f"{self.app}/{self.path}" if self.path else self.app

    @property
    def is_at_work(self) -> bool:
        return self.slot is not None and self.ended_at is None

    @property
    def is_good(self) -> bool:
        """Whether the app answered without an error."""
        return 200 <= (self.status_code or 0) < 300

    @property
    def error(self) -> str:
        """What fal's status says of a failure."""
        return (
            ""
            if self.is_good or not self.status_code
            else f"Invalid status code: {self.status_code}"
        )
