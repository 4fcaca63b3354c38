"""Errors grouped: failures that are alike are one group, with counts that a worker keeps.

A request has the key of its group (`FalRequest.error_key`) from the moment it fails. What happens to the counts is
written to a journal in the same transaction, and a worker adds the journal up: no two failures wait for each other.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models

from requests_app.models.team import Team

LONGEST_SENTENCE = 320  # characters


class GroupState(models.TextChoices):
    """What the team has decided on a group. A resolved one is open again when it comes again."""

    OPEN = "open", "open"
    RESOLVED = "resolved", "resolved"
    IGNORED = "ignored", "ignored"


class ErrorGroup(models.Model):
    """Failures of one endpoint, error type and normalised sentence: see `rules.error_sentence`."""

    team = models.ForeignKey(
        Team, on_delete=models.CASCADE, db_index=False, related_name="error_groups"
    )
    key = models.BigIntegerField()
    endpoint_id = models.CharField(max_length=300, blank=True)  # empty: of several
    error_type = models.CharField(max_length=80, blank=True)
    sentence = models.CharField(max_length=LONGEST_SENTENCE, blank=True)
    # Beyond the bounds it stands for all that have no group of their own.
    is_rest = models.BooleanField(default=False)

    state = models.CharField(max_length=8, choices=GroupState.choices, default=GroupState.OPEN)
    resolved_at = models.DateTimeField(null=True, blank=True)  # the last time
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    regressed_at = models.DateTimeField(null=True, blank=True)  # came again after that

    count = models.PositiveBigIntegerField(default=0)  # requests that are kept
    people = models.PositiveIntegerField(default=0)  # whose requests they are
    first_seen = models.DateTimeField()
    last_seen = models.DateTimeField()

    is_hidden = False  # loaded for a member who may not see inputs and outputs

    class Meta:
        constraints = [models.UniqueConstraint(fields=["team", "key"], name="one_group_of_a_key")]
        indexes = [models.Index(fields=["team", "-last_seen"], name="groups_by_last_seen")]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.error_type} {self.sentence}"

    def hide(self) -> None:
        """Take out the sentence, which may quote an input. Never save such a group."""
        self.is_hidden, self.sentence = True, ""

    @property
    def is_regressed(self) -> bool:
        """Whether it came again after it was resolved, and is open since."""
        return self.state == GroupState.OPEN and self.regressed_at is not None


class ErrorTally(models.Model):
    """The journal: `delta` requests more, or less, in a group. A worker adds it up and deletes it."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, db_index=False, related_name="+")
    key = models.BigIntegerField()
    endpoint_id = models.CharField(max_length=300)
    error_type = models.CharField(max_length=80, blank=True)
    sentence = models.CharField(max_length=LONGEST_SENTENCE, blank=True)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, db_index=False, related_name="+"
    )
    at = models.DateTimeField()  # when they failed: within one hour
    last_at = models.DateTimeField()
    delta = models.IntegerField()

    def __str__(self) -> str:
        return f"{self.delta:+} of {self.key}"


class ErrorHour(models.Model):
    """How many requests of a group failed within an hour."""

    group = models.ForeignKey(
        ErrorGroup, on_delete=models.CASCADE, db_index=False, related_name="hours"
    )
    hour = models.DateTimeField()
    count = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "hour"], name="one_count_of_an_hour")
        ]
        indexes = [models.Index(fields=["hour"], name="hours_by_age")]

    def __str__(self) -> str:
        return f"{self.count} at {self.hour}"


class ErrorPerson(models.Model):
    """How many requests of a group are one user's."""

    group = models.ForeignKey(
        ErrorGroup, on_delete=models.CASCADE, db_index=False, related_name="of_people"
    )
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    count = models.PositiveBigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["group", "person"], name="one_count_of_a_person")
        ]

    def __str__(self) -> str:
        return f"{self.count} of user {self.person_id}"


class ErrorDecision(models.Model):
    """What became of a group: by whom, when, and in which words why. Newest 100 of a group."""

    class Kind(models.TextChoices):
        RESOLVED = "resolved", "resolved"
        IGNORED = "ignored", "ignored"
        REOPENED = "reopened", "reopened"
        REGRESSED = "regressed", "came again"  # by no user
        NOTE = "note", "noted"

    group = models.ForeignKey(ErrorGroup, on_delete=models.CASCADE, related_name="decisions")
    kind = models.CharField(max_length=9, choices=Kind.choices)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    note = models.CharField(max_length=1000, blank=True)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} at {self.at}"
