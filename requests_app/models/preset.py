"""Presets: inputs and realtime messages that a team keeps, each save a version."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone

from requests_app.models.request import Mode
from requests_app.models.team import Team


class Use(models.TextChoices):
    """What a preset's text is: the input of a request, or a message of a realtime session."""

    INPUT = "input", "Input"
    MESSAGE = "message", "Message"


class PresetQuerySet(models.QuerySet["Preset"]):
    """Queries for presets; the newest version is the preset's own row."""

    def inputs(self) -> PresetQuerySet:
        return self.filter(use=Use.INPUT)

    def messages(self) -> PresetQuerySet:
        return self.filter(use=Use.MESSAGE)


class Preset(models.Model):
    """A named text for one endpoint, shared by the whole team; its earlier texts are `versions`."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="presets")
    use = models.CharField(max_length=7, choices=Use.choices, default=Use.INPUT)
    endpoint_id = models.CharField(max_length=300)
    name = models.CharField(max_length=80)
    text = models.TextField()  # JSON as typed; an input may have {{variables}} in its strings
    mode = models.CharField(max_length=8, choices=Mode.choices, default=Mode.QUEUE)
    options = models.JSONField(default=dict)  # platform options, see fal.headers
    version = models.PositiveIntegerField(default=1)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    saved_at = models.DateTimeField(default=timezone.now)

    objects = PresetQuerySet.as_manager()
    misfits: tuple[str, ...] = ()  # set by presets.fitting

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["team", "endpoint_id", "use", "name"], name="one_preset_of_a_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class PresetVersion(models.Model):
    """An earlier version of a preset, as it was before the next save."""

    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField()
    mode = models.CharField(max_length=8, choices=Mode.choices)
    options = models.JSONField(default=dict)
    saved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    saved_at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["preset", "number"], name="one_version_of_a_number")
        ]

    def __str__(self) -> str:
        return f"version {self.number} of {self.preset_id}"
