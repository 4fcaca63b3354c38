"""The kept versions of an endpoint's document, and the last change of its fields."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from requests_app.catalogue import store
from requests_app.catalogue.changes import FieldChange, changes
from requests_app.models import Endpoint, EndpointDocument

LOOK_BACK = 5  # versions: some differ in a sample picture alone


@dataclass(frozen=True)
class LastChange:
    """What changed, and when the newer document was first seen."""

    changes: list[FieldChange]
    at: datetime


def last_change(endpoint_id: str) -> LastChange | None:
    """Compare the present document with the newest kept one that has other fields."""
    row = Endpoint.objects.filter(endpoint_id=endpoint_id, document__isnull=False)
    present = row.values_list("document__digest", "document__first_seen_at").first()
    if present is None:
        return None
    digest, at = present
    kept = EndpointDocument.objects.filter(endpoint_id=endpoint_id).exclude(digest=digest)
    fields = store.parsed(digest).fields
    newest_first = kept.order_by("-first_seen_at", "-pk")
    for older, seen_at in newest_first.values_list("digest", "first_seen_at")[:LOOK_BACK]:
        if found := changes(store.parsed(older).fields, fields):
            return LastChange(found, at)
        at = min(at, seen_at)
    return None
