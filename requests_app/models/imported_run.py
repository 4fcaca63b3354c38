"""What a file of a run said of its origin, beside the request that was made from it."""

from __future__ import annotations

from django.db import models

from requests_app.models.request import FalRequest
from requests_app.models.team import Team


class ImportedRun(models.Model):
    """The other half of a request with the origin "imported"; who imported it and when is the request's.

    Times and ids are those of the run where it was made: the request itself has none of them, so that
    nothing polls, counts or searches for it.
    """

    request = models.OneToOneField(
        FalRequest, on_delete=models.CASCADE, related_name="imported_run"
    )
    team = models.ForeignKey(Team, on_delete=models.PROTECT, db_index=False, related_name="+")
    content = models.CharField(max_length=64)  # the file's digest: the same run gives the same one
    original_id = models.UUIDField()
    person = models.CharField(max_length=160)  # who made it, by the name they had there
    site = models.CharField(max_length=300, blank=True)
    fal_request_id = models.CharField(max_length=200, blank=True)
    made_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True)
    # Text, not JSON, for PostgreSQL would write numbers and orders of its own: an export gives it back.
    facts = models.TextField()
    observations = models.TextField(blank=True)  # a JSON object a line
    schema = models.BinaryField(null=True)  # the endpoint's document, as it came
    schema_seen_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "content"], name="one_import_of_a_run")
        ]

    def __str__(self) -> str:
        return f"import of {self.original_id}"
