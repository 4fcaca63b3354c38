"""Endpoints: fal's documents, each version stored once, and a team's favourites."""

from __future__ import annotations

from django.db import models


class EndpointDocument(models.Model):
    """One version of an endpoint's OpenAPI document, as the bytes that came."""

    endpoint_id = models.CharField(max_length=300)
    digest = models.CharField(max_length=64)  # SHA-256 of `raw`, in hex
    raw = models.BinaryField()
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["endpoint_id", "digest"], name="one_document_of_a_digest"
            )
        ]

    def __str__(self) -> str:
        return f"{self.endpoint_id} {self.digest[:12]}"


class Endpoint(models.Model):
    """An endpoint that has been asked for. `problem`: why there is no newer document."""

    endpoint_id = models.CharField(max_length=300, unique=True)
    document = models.ForeignKey(EndpointDocument, on_delete=models.SET_NULL, null=True)
    checked_at = models.DateTimeField()
    problem = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return self.endpoint_id
