"""Small pictures of what requests made: whether there is one, and why not."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from requests_app.models.request import FalRequest


class MadePicture(models.Model):
    """Made once; the files are in DATA_DIR/thumbnails.

    ::

        due ─▶ made
         │ ▲
         ▼ │ (after a pause, when a page asks again)
        failed, `problem` says why; without a `due_at` for good
    """

    due_at = models.DateTimeField(
        null=True, blank=True
    )  # of the next try; pushed on while one runs
    tries = models.IntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)  # of the last try, a sentence
    made_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=16, blank=True)  # of its content, for addresses
    size = models.IntegerField(default=0)  # bytes on disk

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.problem or f"{self._meta.verbose_name} {self.pk}"


class Thumbnail(MadePicture):
    """Of the first picture in a request's output, by which lists show it."""

    FILE: ClassVar = ("request__public_id",)  # what names its files
    SOURCE: ClassVar = (*FILE, "request__thumbnail_url")  # what `url` reads
    number: ClassVar[int | None] = None

    request = models.OneToOneField(
        FalRequest, on_delete=models.CASCADE, primary_key=True, related_name="thumbnail"
    )

    class Meta:
        indexes = [
            models.Index(
                fields=["due_at"], name="due_thumbnails", condition=Q(due_at__isnull=False)
            ),
            # With the size, so that a sum reads the index alone.
            models.Index(
                fields=["made_at", "size"],
                name="thumbnails_by_age",
                condition=Q(made_at__isnull=False),
            ),
        ]

    @property
    def url(self) -> str:
        """Where the picture itself is."""
        return self.request.thumbnail_url


class FurtherThumbnail(MadePicture):
    """Of another picture of the output: the medium of this number, among those that the row keeps."""

    FILE: ClassVar = ("request__public_id", "number")
    SOURCE: ClassVar = (*FILE, "request__media")

    request = models.ForeignKey(
        FalRequest, on_delete=models.CASCADE, related_name="further_thumbnails"
    )
    number = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="one_thumbnail_of_a_medium")
        ]
        indexes = [
            models.Index(
                fields=["due_at"], name="due_further_thumbnails", condition=Q(due_at__isnull=False)
            ),
            models.Index(
                fields=["made_at", "size"],
                name="further_thumbnails_by_age",
                condition=Q(made_at__isnull=False),
            ),
        ]

    @property
    def url(self) -> str:
        """Where the picture itself is; empty when the row has it no more."""
        items = (self.request.media or {}).get("items", [])
        return str(items[self.number]["url"]) if self.number < len(items) else ""
