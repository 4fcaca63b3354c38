"""The version of the endpoint's document that was in force when a request was made."""

from __future__ import annotations

from requests_app.models import EndpointDocument, FalRequest, TeamEndpoint
from requests_app.runfile.facts import imported_run


def schema_of(row: FalRequest) -> EndpointDocument | None:
    """Return the team's pasted document if it was there by then, else fal's newest of that time.

    An imported run has the one of its file. A request from before the first known version has that one: which one was in force is not known then.
    """
    if run := imported_run(row):
        if run.schema is None:
            return None
        return EndpointDocument(raw=run.schema, first_seen_at=run.schema_seen_at or row.created_at)
    pasted = TeamEndpoint.objects.select_related("document").filter(
        team=row.team_id, endpoint_id=row.endpoint_id, document__isnull=False,
        pasted_at__lte=row.created_at,
    )  # fmt: skip
    if own := pasted.first():
        return own.document
    versions = EndpointDocument.objects.filter(team=None, endpoint_id=row.endpoint_id)
    known = versions.filter(first_seen_at__lte=row.created_at).order_by("-first_seen_at", "-pk")
    return known.first() or versions.order_by("first_seen_at", "pk").first()
