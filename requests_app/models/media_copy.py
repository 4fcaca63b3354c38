"""Our own copies of the media in outputs: which are wanted, what became of each, the files of each team."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from requests_app.models.request import FalRequest
from requests_app.models.team import Team

GB = 1000**3
MB = 1000**2


class CopyRules(models.Model):
    """What a team keeps of its outputs' media. Without a row, or with `is_on` false: nothing.

    The row is the team's lock: each file is counted, found again and given up under it.
    """

    team = models.OneToOneField(
        Team, on_delete=models.CASCADE, primary_key=True, related_name="copy_rules"
    )
    is_on = models.BooleanField(default=False, db_default=False)
    images = models.BooleanField(default=True, db_default=True)
    videos = models.BooleanField(default=True, db_default=True)
    audios = models.BooleanField(default=True, db_default=True)
    others = models.BooleanField(default=True, db_default=True)
    quota_bytes = models.BigIntegerField(default=10 * GB, db_default=10 * GB)
    largest_bytes = models.BigIntegerField(default=500 * MB, db_default=500 * MB)
    used_bytes = models.BigIntegerField(default=0, db_default=0)  # of all files of the team
    # Ended requests with a smaller key are still to be looked at, from the newest down; None: none are.
    history_below = models.BigIntegerField(null=True, blank=True)

    def __str__(self) -> str:
        return f"copies of {self.team_id}: {'on' if self.is_on else 'off'}"

    def takes(self, kind: str) -> bool:
        """Whether media of this kind (`Medium.kind`) are kept."""
        kinds = {"image": self.images, "video": self.videos, "audio": self.audios}
        return kinds.get(kind, self.others)


class CopyLook(models.Model):
    """An ended request whose output is still to be searched for media."""

    request = models.OneToOneField(
        FalRequest, on_delete=models.CASCADE, primary_key=True, related_name="copy_look"
    )
    due_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"look at {self.request_id}"


class KeptFile(models.Model):
    """The content of one or more media of a team, once. Never shared between teams.

    The row is committed before its bytes are stored, and goes after they have gone: no file is forgotten.
    """

    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="kept_files")
    sha256 = models.CharField(max_length=64)
    size = models.BigIntegerField()  # bytes
    name = models.CharField(max_length=120, unique=True)  # in the store; never used again
    created_at = models.DateTimeField()
    stored_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)  # no request needs it any more

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["team", "sha256"],
                name="one_file_per_content",
                condition=Q(removed_at__isnull=True),
            )
        ]
        indexes = [
            models.Index(
                fields=["removed_at"], name="files_to_remove", condition=Q(removed_at__isnull=False)
            )
        ]

    def __str__(self) -> str:
        return self.name


class CopyState(models.TextChoices):
    """What became of the copy of a medium."""

    WAITING = "waiting", "waiting"
    KEPT = "kept", "kept"
    TOO_LARGE = "too_large", "too large"
    OVER_QUOTA = "over_quota", "over quota"
    FAILED = "failed", "failed"
    EXPIRED = "expired", "expired at fal"


class MediaCopyQuerySet(models.QuerySet["MediaCopy"]):
    """Queries for copies."""

    def due(self, now: datetime) -> MediaCopyQuerySet:
        """Those whose next try is due and that no worker has leased."""
        return self.filter(due_at__lte=now).filter(Q(leased_until=None) | Q(leased_until__lt=now))

    def take_lease(self, pk: int, now: datetime, length: timedelta) -> uuid.UUID | None:
        """Lease one that is due; None when another worker was first."""
        token = uuid.uuid4()
        taken = self.due(now).filter(pk=pk)
        changed = taken.update(leased_until=now + length, lease=token, tries=models.F("tries") + 1)
        return token if changed else None

    def under(self, pk: int, lease: uuid.UUID) -> MediaCopyQuerySet:
        """The one that is leased under this token; empty when another worker has it by now."""
        return self.filter(pk=pk, lease=lease)


class MediaCopy(models.Model):
    """One medium of a request's output, and what became of our copy of it.

    ::

        waiting ─▶ kept
         │ ▲ ▲ ╰──▶ too large, over quota (waiting again when the team allows more)
         ▼ │ ╰────  (the file was lost)
        waiting with a problem ─▶ failed, expired
    """

    request = models.ForeignKey(FalRequest, on_delete=models.CASCADE, related_name="copies")
    team = models.ForeignKey(Team, on_delete=models.CASCADE, db_index=False, related_name="+")
    number = models.PositiveSmallIntegerField()  # among the request's media, from 1
    url = models.TextField()
    path = models.CharField(max_length=200)  # in the output
    kind = models.CharField(max_length=8)  # Medium.kind
    name = models.CharField(max_length=200)
    content_type = models.CharField(max_length=200, blank=True)
    # as which a browser may show it; empty: it is only downloaded
    shown_type = models.CharField(max_length=40, blank=True)
    file = models.ForeignKey(
        KeptFile, on_delete=models.PROTECT, null=True, blank=True, related_name="copies"
    )
    state = models.CharField(max_length=12, choices=CopyState.choices, default=CopyState.WAITING)
    problem = models.CharField(max_length=200, blank=True)  # of the last try, a sentence
    changed_at = models.DateTimeField()

    # Work
    due_at = models.DateTimeField(null=True, blank=True)
    tries = models.IntegerField(default=0)
    leased_until = models.DateTimeField(null=True, blank=True)
    lease = models.UUIDField(null=True, blank=True)

    objects = MediaCopyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="one_copy_per_medium")
        ]
        indexes = [
            models.Index(fields=["due_at"], name="due_copies", condition=Q(due_at__isnull=False)),
            models.Index(fields=["team", "state"], name="copies_by_state"),
            models.Index(
                fields=["changed_at"], name="failed_copies", condition=Q(state=CopyState.FAILED)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.url} ({self.state})"

    @property
    def is_kept(self) -> bool:
        return self.state == CopyState.KEPT
