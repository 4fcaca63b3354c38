"""Endpoints: their documents, each version stored once, and what a team keeps of them."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from requests_app.models.team import Team


class EndpointDocument(models.Model):
    """One version of an endpoint's OpenAPI document, as the bytes that came. `team`: pasted by it, for it alone."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, null=True, related_name="+")
    endpoint_id = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)  # SHA-256 of `raw`, in hex
    raw = models.BinaryField()
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint_id", "digest"],
                condition=models.Q(team=None),
                name="one_document_of_a_digest",
            ),
            models.UniqueConstraint(
                fields=["team", "endpoint_id", "digest"], name="one_pasted_document_of_a_digest"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.digest[:12]}"


class HoldsDocument(models.Model):
    """What has a document. `changed_from`: the newest one before that had other fields; `changed_at`: until when."""

    document = models.ForeignKey(
        EndpointDocument, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    changed_from = models.ForeignKey(
        EndpointDocument, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    changed_at = models.DateTimeField(null=True)

    class Meta:
        abstract = True


class Endpoint(HoldsDocument):
    """An endpoint that fal has been asked for. `problem`: why there is no newer document."""

    endpoint_id = models.CharField(max_length=300, unique=True)
    checked_at = models.DateTimeField()
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.endpoint_id


class TeamEndpoint(HoldsDocument):
    """What a team keeps about an endpoint: added by hand, its favourite, a document that it pasted."""

    team = models.ForeignKey(Team, on_delete=models.CASCADE, related_name="endpoints")
    endpoint_id = models.CharField(max_length=300)
    is_added = models.BooleanField(default=False)
    is_favourite = models.BooleanField(default=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    pasted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+"
    )
    pasted_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["team", "endpoint_id"], name="one_entry_of_an_endpoint")
        ]

    def __str__(self) -> str:
        return self.endpoint_id


class SeenChange(models.Model):
    """A user has dismissed the notice that an endpoint's fields changed; later changes are news again."""

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    endpoint_id = models.CharField(max_length=300)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "endpoint_id"], name="one_change_seen_last")
        ]

    def __str__(self) -> str:
        return self.endpoint_id


class ModelCard(models.Model):
    """What fal's list of models says of an endpoint. Not listed: the list does not know it."""

    endpoint_id = models.CharField(max_length=300, unique=True)
    is_listed = models.BooleanField(default=True)
    title = models.CharField(max_length=200, blank=True)
    category = models.CharField(max_length=80, blank=True)
    description = models.CharField(max_length=2000, blank=True)
    status = models.CharField(max_length=40, blank=True)
    licence = models.CharField(max_length=80, blank=True)
    page_url = models.CharField(max_length=1000, blank=True)
    checked_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.endpoint_id
