"""Notices of a team: where they go, which events they are about, and what was sent."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import Q

from requests_app.models.request import FalRequest
from requests_app.models.team import Team


class ChannelKind(models.TextChoices):
    """How a channel is reached."""

    EMAIL = "email", "E-mail"
    SLACK = "slack", "Slack"
    DISCORD = "discord", "Discord"
    TELEGRAM = "telegram", "Telegram"
    WEBHOOK = "webhook", "Webhook"


class RuleEvent(models.TextChoices):
    """What a rule is about."""

    FAILED = "failed", "A request failed"
    UNCERTAIN = "uncertain", "A request has been uncertain for long"
    QUEUE = "queue", "A request has waited in fal's queue for long"
    RATE = "rate", "Too many requests fail"
    BATCH = "batch", "A batch is over"
    BULK = "bulk", "An action on many requests is over"
    KEY = "key", "fal refuses a key of the team"
    FORWARD = "forward", "Forwarding to a destination was switched off"


class NoticeState(models.TextChoices):
    """The state of a message.

    ::

        waiting ─▶ sending ─┬▶ sent
           ▲          │     └▶ failed
           └─(again)──┘
    """

    WAITING = "waiting", "waiting"
    SENDING = "sending", "sending"
    SENT = "sent", "sent"
    FAILED = "failed", "failed"


class NoticeHours(models.Model):
    """When the team is not to be disturbed, and up to when its events were looked at."""

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, primary_key=True, related_name="notice_hours"
    )
    zone = models.CharField(max_length=64, default="UTC")
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    looked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"quiet hours of {self.team_id}"


class NoticeChannel(models.Model):
    """Where messages go. The address is encrypted, for it lets its holder write there."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="notice_channels")
    kind = models.CharField(max_length=8, choices=ChannelKind.choices)
    name = models.CharField(max_length=60)
    encrypted = models.TextField()  # see keys.encryption
    shown = models.CharField(max_length=200)  # what of the address is no secret
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    created_at = models.DateTimeField()
    last_sent_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)  # messages in a row
    disabled_at = models.DateTimeField(null=True, blank=True)
    disabled_why = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["team", "name"], name="one_channel_of_a_name")
        ]

    def __str__(self) -> str:
        return f"{self.kind} channel {self.name}"


class NoticeRule(models.Model):
    """Which events are told to a channel."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="notice_rules")
    channel = models.ForeignKey(NoticeChannel, on_delete=models.CASCADE, related_name="rules")
    event = models.CharField(max_length=10, choices=RuleEvent.choices)
    is_on = models.BooleanField(default=True)
    # An endpoint id, or its beginning and a *; empty: all
    pattern = models.CharField(max_length=300, blank=True)
    error_type = models.CharField(max_length=80, blank=True)
    only_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    minutes = models.PositiveSmallIntegerField(null=True, blank=True)  # older than; of the rate
    percent = models.PositiveSmallIntegerField(null=True, blank=True)
    least = models.PositiveIntegerField(null=True, blank=True)  # requests, for a rate to count
    cooldown_minutes = models.PositiveSmallIntegerField(default=5)
    in_quiet = models.BooleanField(default=False)  # also in the quiet hours
    with_error = models.BooleanField(default=False)  # with the beginning of the error
    is_alarmed = models.BooleanField(default=False)  # the rate is over: told once
    since = models.DateTimeField()  # events before are not told

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"rule {self.pk}: {self.event}"


class NoticeQuerySet(models.QuerySet["Notice"]):
    """Queries for messages."""

    def due(self, now: datetime) -> Self:
        """Those to be sent, and those whose sender did not come back."""
        lost = Q(state=NoticeState.SENDING, leased_until__lt=now)
        return self.filter(Q(state=NoticeState.WAITING) | lost, due_at__lte=now)


class Notice(models.Model):
    """One message. While it waits, further events of its rule join it."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="notices")
    rule = models.ForeignKey(NoticeRule, on_delete=models.SET_NULL, null=True, related_name="+")
    channel = models.ForeignKey(
        NoticeChannel, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    rule_words = models.CharField(max_length=300)
    channel_name = models.CharField(max_length=60)
    is_test = models.BooleanField(default=False)
    count = models.PositiveIntegerField(default=0)  # events
    state = models.CharField(max_length=8, choices=NoticeState.choices, default=NoticeState.WAITING)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True, default=None)
    tries = models.PositiveSmallIntegerField(default=0)
    is_unsure = models.BooleanField(default=False)  # the answer to an earlier try was lost
    answer = models.CharField(max_length=300, blank=True)  # to the last try
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = NoticeQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["team", "-id"], name="notices_of_team"),
            models.Index(fields=["due_at"], name="due_notices", condition=Q(due_at__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"notice {self.pk} ({self.state})"

    def take(self, now: datetime, until: datetime) -> uuid.UUID | None:
        """Lease it for a try; None if another process was first."""
        token = uuid.uuid4()
        mine = Notice.objects.due(now).filter(pk=self.pk, tries=self.tries)
        taken = mine.update(
            state=NoticeState.SENDING, lease=token, leased_until=until, due_at=until,
            tries=self.tries + 1, is_unsure=self.is_unsure or self.state == NoticeState.SENDING,
        )  # fmt: skip
        return token if taken else None


class NoticeEvent(models.Model):
    """Something that happened: told once by each rule, which its key keeps."""

    rule = models.ForeignKey(NoticeRule, on_delete=models.CASCADE, related_name="events")
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="events")
    key = models.CharField(max_length=120)
    request = models.ForeignKey(FalRequest, on_delete=models.SET_NULL, null=True, related_name="+")
    at = models.DateTimeField()
    line = models.CharField(max_length=600)
    path = models.CharField(max_length=300)

    class Meta:
        ordering = ["pk"]
        constraints = [models.UniqueConstraint(fields=["rule", "key"], name="one_notice_of_event")]

    def __str__(self) -> str:
        return self.key
