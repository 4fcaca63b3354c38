"""Forwarding of a team: where its deliveries and events are sent on to, and each attempt."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q

from requests_app.models.request import FalRequest, Status
from requests_app.models.team import Team


class ForwardEvent(models.TextChoices):
    """What a forwarded message is."""

    DELIVERY = "fal.delivery", "fal's delivery, as it came"
    COMPLETED = "request.completed", "A request completed"
    FAILED = "request.failed", "A request failed"
    CANCELLED = "request.cancelled", "A request was cancelled"
    TEST = "test", "Test"


# Our own events: the end of a request that each tells.
ENDS = {
    ForwardEvent.COMPLETED: Status.COMPLETED,
    ForwardEvent.FAILED: Status.FAILED,
    ForwardEvent.CANCELLED: Status.CANCELLED,
}


class ForwardState(models.TextChoices):
    """The state of a message, as that of a notice: waiting ─▶ sending ─▶ sent or failed, or waiting again."""

    WAITING = "waiting", "waiting"
    SENDING = "sending", "sending"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"


class ForwardDestinationQuerySet(models.QuerySet["ForwardDestination"]):
    """Queries for destinations."""

    def of_team(self, team_id: int) -> Self:
        """Those that were not removed."""
        return self.filter(team=team_id, removed_at=None)

    def sendable(self, now: datetime) -> Self:
        """Those that something is due for, and that do not pause."""
        due = ForwardMessage.objects.due(now).filter(destination=OuterRef("pk"))
        rested = Q(paused_until=None) | Q(paused_until__lte=now)
        return self.filter(rested, Exists(due), is_on=True)

    def wanting(self, team_id: int) -> Self:
        """Those of a team that are on and take fal's deliveries."""
        return self.filter(team=team_id, is_on=True, wants_deliveries=True).defer("encrypted")


class ForwardDestination(models.Model):
    """A program of the team that messages are sent to. Its address and secrets are encrypted."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="forward_destinations")
    name = models.CharField(max_length=60)
    encrypted = models.TextField()  # see forwarding.sealed
    shown = models.CharField(max_length=200)  # what of the address is no secret
    # An endpoint id, or its beginning and a *; empty: all
    pattern = models.CharField(max_length=300, blank=True)
    wants_deliveries = models.BooleanField(default=False)
    wants_completed = models.BooleanField(default=False)
    wants_failed = models.BooleanField(default=False)
    wants_cancelled = models.BooleanField(default=False)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    is_on = models.BooleanField(default=True)
    since = models.DateTimeField()  # what ended before is not sent
    looked_at = models.DateTimeField(null=True, blank=True)  # for ends of requests
    old_secret_until = models.DateTimeField(null=True, blank=True)
    last_ok_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0)  # attempts in a row
    failing_since = models.DateTimeField(null=True, blank=True)
    paused_until = models.DateTimeField(null=True, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)  # switched off by the worker
    disabled_why = models.CharField(max_length=300, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)  # its messages are being deleted

    objects = ForwardDestinationQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "name"],
                name="one_destination_of_a_name",
                condition=Q(removed_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"destination {self.name}"

    @property
    def events(self) -> list[ForwardEvent]:
        """What is sent there."""
        chosen = {
            ForwardEvent.DELIVERY: self.wants_deliveries,
            ForwardEvent.COMPLETED: self.wants_completed,
            ForwardEvent.FAILED: self.wants_failed,
            ForwardEvent.CANCELLED: self.wants_cancelled,
        }
        return [event for event, is_wanted in chosen.items() if is_wanted]

    def takes(self, endpoint_id: str) -> bool:
        """Whether the pattern fits the endpoint."""
        if self.pattern.endswith("*"):
            return endpoint_id.startswith(self.pattern[:-1])
        return self.pattern in ("", endpoint_id)


class ForwardMessageQuerySet(models.QuerySet["ForwardMessage"]):
    """Queries for messages."""

    def of(self, destination: ForwardDestination) -> Self:
        return self.filter(destination=destination.pk)

    def tests(self, since: datetime) -> Self:
        return self.filter(event=ForwardEvent.TEST, created_at__gt=since)

    def give_up(self, why: str, now: datetime) -> None:
        """They have failed without an attempt."""
        self.update(
            state=ForwardState.FAILED,
            why=why,
            ended_at=now,
            due_at=None,
            lease=None,
            leased_until=None,
        )

    def due(self, now: datetime) -> Self:
        """Those to be sent, and those whose sender did not come back."""
        lost = Q(state=ForwardState.SENDING, leased_until__lt=now)
        return self.filter(Q(state=ForwardState.WAITING) | lost, due_at__lte=now)


class ForwardMessage(models.Model):
    """One message for one destination. fal's delivery is read when it is sent; our own event is stored whole."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="+")
    destination = models.ForeignKey(
        ForwardDestination, on_delete=models.CASCADE, db_index=False, related_name="messages"
    )
    key = models.CharField(max_length=60)  # what it is about: once for each destination
    message_id = models.CharField(max_length=40)  # the header webhook-id
    event = models.CharField(max_length=20, choices=ForwardEvent.choices)
    request = models.ForeignKey(FalRequest, on_delete=models.CASCADE, null=True, related_name="+")
    delivery = models.BigIntegerField(null=True, blank=True)
    body = models.BinaryField(default=b"")  # of our own events
    state = models.CharField(
        max_length=8, choices=ForwardState.choices, default=ForwardState.WAITING
    )
    created_at = models.DateTimeField()
    begun_at = models.DateTimeField()  # of the day of attempts; a resend begins another
    due_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True, default=None)
    tries = models.PositiveSmallIntegerField(default=0)  # since `begun_at`
    why = models.CharField(max_length=300, blank=True)  # it failed, where no attempt says so
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = ForwardMessageQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["destination", "-id"], name="messages_of_destination"),
            models.Index(
                fields=["destination", "due_at"],
                name="due_forwards",
                condition=Q(due_at__isnull=False),
            ),
            models.Index(
                fields=["ended_at"], name="ended_forwards", condition=Q(ended_at__isnull=False)
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["destination", "key"], name="one_forward_of_event")
        ]

    def __str__(self) -> str:
        return f"{self.message_id} ({self.state})"

    def take(self, now: datetime, until: datetime) -> uuid.UUID | None:
        """Lease it for an attempt; None if another process was first."""
        token = uuid.uuid4()
        mine = ForwardMessage.objects.due(now).filter(pk=self.pk, tries=self.tries)
        taken = mine.update(
            state=ForwardState.SENDING, lease=token, leased_until=until, due_at=until,
            tries=self.tries + 1,
        )  # fmt: skip
        return token if taken else None


class ForwardAttempt(models.Model):
    """One POST of a message, and what came of it."""

    message = models.ForeignKey(ForwardMessage, on_delete=models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    took_ms = models.PositiveIntegerField()
    code = models.PositiveSmallIntegerField(null=True, blank=True)  # HTTP status of the answer
    words = models.CharField(max_length=300, blank=True)  # why there is no answer
    answer = models.TextField(blank=True)  # its first kilobyte

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"attempt: {self.code or self.words}"
