"""A small picture of what a request made: whether there is one, and why not."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from requests_app.models.request import FalRequest


class Thumbnail(models.Model):
    """Made once, of the first picture in a request's output; the files are in DATA_DIR/thumbnails.

    ::

        due ─▶ made
         │ ▲
         ▼ │ (after a pause, when a page asks again)
        failed, `problem` says why; without a `due_at` for good
    """

    request = models.OneToOneField(
        FalRequest, on_delete=models.CASCADE, primary_key=True, related_name="thumbnail"
    )
    due_at = models.DateTimeField(
        null=True, blank=True
    )  # of the next try; pushed on while one runs
    tries = models.IntegerField(default=0)
    problem = models.CharField(max_length=200, blank=True)  # of the last try, a sentence
    made_at = models.DateTimeField(null=True, blank=True)
    version = models.CharField(max_length=16, blank=True)  # of its content, for addresses
    size = models.IntegerField(default=0)  # bytes on disk

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

    def __str__(self) -> str:
        return self.problem or f"thumbnail of {self.request_id}"
