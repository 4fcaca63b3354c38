"""The many-row parts of a request: log lines, frames, webhook deliveries.

Each has an index that begins with the request; an index on the request alone would be a tenth of
the disk.
"""

from __future__ import annotations

from django.db import models

from requests_app.models.request import FalRequest
from requests_app.models.team import Team


class LogLine(models.Model):
    """One line of fal's log. fal shows a moving window; each line is stored once."""

    request = models.ForeignKey(
        FalRequest, on_delete=models.CASCADE, db_index=False, related_name="log_lines"
    )
    timestamp = models.CharField(max_length=40, blank=True)  # fal's own text
    level = models.CharField(max_length=20, blank=True)
    source = models.CharField(max_length=40, blank=True)
    message = models.TextField()
    # Of timestamp, level, message and the index among equal lines in its reply.
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["request", "digest"], name="log_line_once")]

    def __str__(self) -> str:
        return self.message[:80]


class OutputPart(models.Model):
    """A piece of a large output. The row's column has its beginning; these follow, from number 1."""

    request = models.ForeignKey(
        FalRequest, on_delete=models.CASCADE, db_index=False, related_name="output_parts"
    )
    number = models.IntegerField()
    data = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="output_part_once")
        ]

    def __str__(self) -> str:
        return f"part {self.number}"


class Direction(models.TextChoices):
    """The direction of a frame, seen from here."""

    IN = "in", "received"
    OUT = "out", "sent"


class Frame(models.Model):
    """One event of a stream, or one message of a realtime session; numbered from 1."""

    request = models.ForeignKey(
        FalRequest, on_delete=models.CASCADE, db_index=False, related_name="frames"
    )
    number = models.IntegerField()
    offset_ms = models.FloatField()  # since the start of the call
    direction = models.CharField(max_length=3, choices=Direction.choices, default=Direction.IN)
    # event (SSE); msgpack, json, text, binary, control (realtime)
    kind = models.CharField(max_length=8, default="event")
    event = models.CharField(max_length=100, blank=True)  # the SSE event name
    event_id = models.CharField(max_length=200, blank=True)
    data = models.TextField()  # the text of the event; NUL is stored as U+FFFD
    raw = models.BinaryField(null=True, blank=True)  # of a binary message, as it was on the wire
    size = models.IntegerField()  # bytes on the wire
    # For an incoming realtime message, when certain: the frame it answers, and the round-trip time
    pair = models.IntegerField(null=True, blank=True)
    rtt_ms = models.FloatField(null=True, blank=True)
    # For a stream's event: output, error, note, nothing or part (`rules.stream_event.Says`); NULL:
    # not stored
    says = models.CharField(max_length=8, null=True, blank=True)  # noqa: DJ001 (added without a rewrite)

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["request", "number"], name="frame_once")]

    def __str__(self) -> str:
        return f"frame {self.number}"


class Delivery(models.Model):
    """One webhook POST as it came, and our verdict."""

    request = models.ForeignKey(
        FalRequest, on_delete=models.CASCADE, db_index=False, related_name="deliveries"
    )
    # The request's, for the page of all deliveries; NULL: stored by an older process during an upgrade
    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, null=True, db_index=False, related_name="+"
    )
    received_at = models.DateTimeField()
    verdict = models.CharField(max_length=30)  # accepted, duplicate, contradicts or a cause
    note = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField()  # of a refused one at most the first 64 kB
    body_size = models.IntegerField()
    # Of request id, timestamp header and body: the same bytes again are the same delivery.
    digest = models.CharField(max_length=64)

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["request", "digest"], name="delivery_digest"),
            models.Index(fields=["team", "-id"], name="team_deliveries"),
            models.Index(fields=["team", "verdict", "-id"], name="team_deliveries_by_verdict"),
            models.Index(
                fields=["team", "-id"],
                name="deliveries_without_team",
                condition=models.Q(team__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"delivery: {self.verdict}"


class Heartbeat(models.Model):
    """When a part of the installation last proved that it works (for /readyz)."""

    part = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.part} at {self.at}"


class FalAccount(models.Model):
    """The fal user id that signs the webhooks of a key; stored on first use, then pinned.

    Several keys may be of one account.
    """

    user_id = models.CharField(max_length=200)
    key_digest = models.CharField(max_length=64, unique=True)
    learnt_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.user_id
